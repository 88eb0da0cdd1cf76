package sight

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

// What of a look is kept at most, so that an answer has a size. Names, error texts
// and the number of tasks are the program's, or its users'.
const (
	maxTasks = 200_000
	maxName  = 200
	maxText  = 4000
)

// freshness is how long a look is good enough for all who ask.
const freshness = 250 * time.Millisecond

// patience is how long a look may take. A loop that is blocked is given up by itself
// long before.
const patience = 30 * time.Second

// A looker looks at the program: one look at a time, and none while the last one is
// fresh.
type looker struct {
	mu    sync.Mutex // held while somebody looks
	last  *asyncio.Snapshot
	taken time.Time

	now  func() time.Time
	take func(ctx context.Context) (*asyncio.Snapshot, error)
}

// theLooker is that of all handlers.
var theLooker = looker{now: time.Now, take: takeSnapshot}

func takeSnapshot(ctx context.Context) (*asyncio.Snapshot, error) { return asyncio.TakeSnapshot(ctx) }

// look returns what there is to see. It is shared: nobody changes it.
func (k *looker) look() (*asyncio.Snapshot, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.last != nil && k.now().Sub(k.taken) < freshness {
		return k.last, nil
	}
	// Not the context of who asks: others wait for the same look.
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s, err := k.take(ctx)
	if err != nil {
		return nil, err
	}
	bound(s)
	k.last, k.taken = s, k.now()
	return s, nil
}

// bound cuts what may be of any length.
func bound(s *asyncio.Snapshot) {
	for _, l := range s.Loops {
		l.Tasks = l.Tasks[:min(len(l.Tasks), maxTasks)]
		for i := range l.Tasks {
			l.Tasks[i].Name = shortened(l.Tasks[i].Name, maxName)
		}
		for i := range l.Locks {
			l.Locks[i].HolderName = shortened(l.Locks[i].HolderName, maxName)
		}
		l.Lost = l.Lost[:min(len(l.Lost), 1000)]
		for i := range l.Lost {
			l.Lost[i].Name = shortened(l.Lost[i].Name, maxName)
			if text := fmt.Sprint(l.Lost[i].Err); len(text) > maxText { // Sprint: Error of a nil panics
				l.Lost[i].Err = errors.New(shortened(text, maxText))
			}
		}
		l.Warnings = l.Warnings[:min(len(l.Warnings), 1000)]
		for i := range l.Warnings {
			l.Warnings[i].Text = shortened(l.Warnings[i].Text, maxText)
		}
	}
}

// errHidden is shown in place of errors.
var errHidden = errors.New("(its text is not shown)")

// withoutErrors returns s with the texts of errors left out.
func withoutErrors(s *asyncio.Snapshot) *asyncio.Snapshot {
	return changed(s, func(l *asyncio.LoopSnapshot) {
		l.Lost = append([]asyncio.LostError(nil), l.Lost...)
		for i := range l.Lost {
			l.Lost[i].Err = errHidden
		}
		l.Warnings = append([]asyncio.Warning(nil), l.Warnings...)
		for i := range l.Warnings {
			if l.Warnings[i].ID == "W5" { // which is about an error
				l.Warnings[i].Text = "nobody has looked at an error " + errHidden.Error()
			}
		}
	})
}

// named returns s with those tasks alone in whose names text is, whatever the case
// of its letters: a thousand of each loop at most.
func named(s *asyncio.Snapshot, text string) *asyncio.Snapshot {
	text = strings.ToLower(text)
	return changed(s, func(l *asyncio.LoopSnapshot) {
		var found []asyncio.TaskSnapshot
		for _, t := range l.Tasks {
			if len(found) < 1000 && strings.Contains(strings.ToLower(t.Name), text) {
				found = append(found, t)
			}
		}
		l.Tasks = found
	})
}

// changed returns a copy of s whose loops were changed.
func changed(s *asyncio.Snapshot, change func(l *asyncio.LoopSnapshot)) *asyncio.Snapshot {
	s2 := *s
	s2.Loops = make([]*asyncio.LoopSnapshot, len(s.Loops))
	for i, l := range s.Loops {
		l2 := *l
		change(&l2)
		s2.Loops[i] = &l2
	}
	return &s2
}
