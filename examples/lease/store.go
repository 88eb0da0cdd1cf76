package main

import (
	"context"
	"fmt"
)

// A Store has a number that leases protect. Each get and put tells the number of a lease,
// and of leases older than one that it has seen the store takes nothing: their holders may
// believe that they hold them still, and what they have sent may have been long under way.
type Store struct {
	Value  uint64
	Broken error // what must not be: a put that is not one more than the value

	newest uint64
	bug    Bug
}

// Serve answers "get 7" and "put 7 42", where 7 is the number of a lease.
func (s *Store) Serve(ctx context.Context, addr string, bug Bug) error {
	s.bug = bug
	return serve(ctx, addr, func(_ context.Context, line string) (string, error) { return s.answer(line), nil })
}

func (s *Store) answer(line string) string {
	var word string
	var lease, value uint64
	fmt.Sscan(line, &word, &lease, &value)
	if lease < s.newest && s.bug != NoFence {
		return "late"
	}
	if word == "put" || s.bug != OnlyPuts {
		s.newest = max(s.newest, lease)
	}
	if word == "put" {
		if value != s.Value+1 && s.Broken == nil {
			s.Broken = fmt.Errorf("a step is lost: %d is put in place of %d, under the lease %d", value, s.Value, lease)
		}
		s.Value = value
	}
	return fmt.Sprint("ok ", s.Value)
}
