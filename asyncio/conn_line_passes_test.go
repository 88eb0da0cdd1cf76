package asyncio

import (
	"context"
	"testing"
)

// Cancelled tasks are passed over once: where each of many gives up what it waits
// for and wakes another, as those of a Condition do, each pass would look at all of
// them otherwise.
func TestLinePassesOverOnce(t *testing.T) {
	passes := map[string]func(q *line) bool{
		"wake":   func(q *line) bool { return q.wake(1) },
		"anyone": func(q *line) bool { return q.anyone() },
	}
	for name, pass := range passes {
		for _, stays := range []int{-1, 2, 3} { // which of four is not cancelled
			RunFunc(context.Background(), func(ctx context.Context) error {
				var q line
				var ts []*Task[None]
				chosen := 0
				for range 4 {
					ts = append(ts, Go(ctx, func(ctx context.Context) error {
						me, _ := current(ctx)
						c, err := q.wait(ctx, me)
						if c {
							chosen++
						}
						return err
					}))
				}
				Sleep(ctx, 0)
				for i, x := range ts {
					if i != stays {
						x.Cancel()
					}
				}
				if got, want := pass(&q), stays >= 0; got != want {
					t.Errorf("%s, %d stays: %v", name, stays, got)
				}
				left := 0
				for st := q.tasks.First(); st != nil; st = q.tasks.After(st) {
					left++
				}
				want := 0
				if stays >= 0 {
					if want = 3 - stays; name == "anyone" { // those behind, and the one itself
						want++
					}
				}
				if left != want {
					t.Errorf("%s, %d stays: %d are in the line, want %d", name, stays, left, want)
				}
				q.wake(everybody)
				Wait(ctx, ts)
				for i, x := range ts {
					if x.Cancelled() == (i == stays) {
						t.Errorf("%s, %d stays: %d", name, stays, i)
					}
				}
				if !q.empty() || (chosen == 1) != (stays >= 0) {
					t.Errorf("%s, %d stays: %d were chosen", name, stays, chosen)
				}
				return nil
			})
		}
	}
}
