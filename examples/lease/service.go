package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/files"
)

// A service grants a lease to one at a time. Each has a number, larger than all before,
// which must outlive a crash: so it is on the disk before it is told. Until when a lease
// lasts is not there: after a restart nothing is granted for a term, in which all are over.
type service struct {
	loop   *asyncio.Loop
	lock   asyncio.Lock
	term   time.Duration
	bug    Bug
	number files.File
	last   uint64
	until  time.Duration // on the loop's clock: when the last one is over
}

// ServeLeases answers "take" with a number, "keep 7" and "free 7". Leases are for a term.
func ServeLeases(ctx context.Context, addr string, term time.Duration, disk files.Disk, bug Bug) error {
	loop, err := asyncio.RunningLoop(ctx)
	if err != nil {
		return err
	}
	s := &service{loop: loop, term: term, bug: bug}
	if err := s.load(ctx, disk); err != nil {
		return err
	}
	defer s.number.Close()
	if s.last > 0 && bug != NoRest {
		s.until = loop.Time() + term
	}
	return serve(ctx, addr, s.answer)
}

// load reads the last number. The folder is synced also if the file was there: whoever has
// made it may have been killed before he had done so.
func (s *service) load(ctx context.Context, disk files.Disk) (err error) {
	s.number, err = disk.Open("number")
	if errors.Is(err, fs.ErrNotExist) {
		s.number, err = disk.Create("number")
	}
	if err != nil {
		return err
	}
	if s.bug != NameLost {
		if err := disk.SyncDir(ctx, "."); err != nil {
			return err
		}
	}
	var b [8]byte
	if n, _ := s.number.ReadAt(b[:], 0); n == len(b) {
		s.last = binary.BigEndian.Uint64(b[:])
	}
	return nil
}

func (s *service) answer(ctx context.Context, line string) (reply string, err error) {
	var word string
	var number uint64
	fmt.Sscan(line, &word, &number)
	err = s.lock.Do(ctx, func() error {
		held, its := s.loop.Time() < s.until, number == s.last
		switch {
		case word == "take" && !held:
			reply, err = s.grant(ctx)
			return err
		case word == "keep" && held && its:
			s.until = s.loop.Time() + s.term
			reply = s.granted(ctx)
		case word == "free" && held && (its || s.bug == FreesAny):
			s.until = 0
			reply = "ok"
		default:
			reply = "no"
		}
		return nil
	})
	return reply, err
}

func (s *service) grant(ctx context.Context) (string, error) {
	s.last++
	if s.bug != NotKept {
		b := binary.BigEndian.AppendUint64(nil, s.last)
		if _, err := s.number.WriteAt(b, 0); err != nil {
			return "", err
		}
	}
	if s.bug != LateSync {
		if err := s.number.Sync(ctx); err != nil {
			return "", err
		}
	}
	s.until = s.loop.Time() + s.term
	return s.granted(ctx), nil
}

func (s *service) granted(ctx context.Context) string {
	if s.bug == WallClock {
		return fmt.Sprint("ok ", s.last, " ", asyncio.Now(ctx).Add(s.term).UnixNano())
	}
	return fmt.Sprint("ok ", s.last)
}
