package asyncio_test

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
)

// A stuck is a program that stands still for good, and what is said of it.
type stuck struct {
	begin func(ctx context.Context) []*asyncio.Task[asyncio.None]
	text  string // without the places
	warns string
	debug bool
}

// named makes a task with a name.
func named(ctx context.Context, name string, f func(ctx context.Context) error) *asyncio.Task[asyncio.None] {
	return asyncio.Go(ctx, f, asyncio.WithTaskName(name))
}

func awaits[T any](aw asyncio.Awaitable[T]) func(ctx context.Context) error {
	return func(ctx context.Context) error { _, err := aw.Await(ctx); return err }
}

var calledBy = regexp.MustCompile(`called by [^;\n]*`)

func withoutPlaces(s string) string { return calledBy.ReplaceAllString(s, "called by X") }

// inOrder acquires two locks, with a turn between them.
func inOrder(a, b interface{ Acquire(context.Context) error }) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		if err := a.Acquire(ctx); err != nil {
			return err
		}
		if err := asyncio.Sleep(ctx, 0); err != nil {
			return err
		}
		return b.Acquire(ctx)
	}
}

func TestSnapshotOfCircles(t *testing.T) {
	type tasks = []*asyncio.Task[asyncio.None]
	for what, p := range map[string]stuck{
		"two locks": {
			begin: func(ctx context.Context) tasks {
				var a, b asyncio.Lock
				return tasks{named(ctx, "a-to-b", inOrder(&a, &b)), named(ctx, "b-to-a", inOrder(&b, &a))}
			},
			text: "a-to-b: waits in asyncio.(*Lock).Acquire, called by X; the lock is held by b-to-a\n" +
				"b-to-a: waits in asyncio.(*Lock).Acquire, called by X; the lock is held by a-to-b\n",
			warns: "W1: a circle: a-to-b waits for the lock held by b-to-a, which waits for the lock held by a-to-b\n",
		},
		"two semaphores of one": {
			begin: func(ctx context.Context) tasks {
				a, b := asyncio.NewSemaphore(1), asyncio.NewBoundedSemaphore(1)
				return tasks{named(ctx, "a-to-b", inOrder(a, b)), named(ctx, "b-to-a", inOrder(b, a))}
			},
			text: "a-to-b: waits in asyncio.(*BoundedSemaphore).Acquire, called by X; the semaphore is held by b-to-a\n" +
				"b-to-a: waits in asyncio.(*Semaphore).Acquire, called by X; the semaphore is held by a-to-b\n",
			warns: "W1: a circle: a-to-b waits for the semaphore held by b-to-a, which waits for the semaphore held by a-to-b\n",
		},
		"two semaphores of two": {
			begin: func(ctx context.Context) tasks {
				a, b := asyncio.NewSemaphore(2), asyncio.NewSemaphore(2)
				a.Acquire(ctx)
				b.Acquire(ctx)
				return tasks{named(ctx, "a-to-b", inOrder(a, b)), named(ctx, "b-to-a", inOrder(b, a))}
			},
			text: "a-to-b: waits in asyncio.(*Semaphore).Acquire, called by X\n" +
				"b-to-a: waits in asyncio.(*Semaphore).Acquire, called by X\n",
		},
		"two semaphores of two, in debug mode": {
			debug: true,
			begin: func(ctx context.Context) tasks {
				a, b := asyncio.NewSemaphore(2), asyncio.NewBoundedSemaphore(2)
				return tasks{
					named(ctx, "a-to-b", inOrder(a, b)), named(ctx, "b-to-a", inOrder(b, a)),
					named(ctx, "a-to-b, too", inOrder(a, b)), named(ctx, "b-to-a, too", inOrder(b, a)),
				}
			},
			text: "a-to-b: waits in asyncio.(*BoundedSemaphore).Acquire, called by X; the semaphore is held by b-to-a and b-to-a, too\n" +
				"b-to-a: waits in asyncio.(*Semaphore).Acquire, called by X; the semaphore is held by a-to-b and a-to-b, too\n" +
				"a-to-b, too: waits in asyncio.(*BoundedSemaphore).Acquire, called by X; the semaphore is held by b-to-a and b-to-a, too\n" +
				"b-to-a, too: waits in asyncio.(*Semaphore).Acquire, called by X; the semaphore is held by a-to-b and a-to-b, too\n",
			warns: "W1: a circle: a-to-b waits for the semaphore held by b-to-a (and by another, which waits, too), " +
				"which waits for the semaphore held by a-to-b (and by another, which waits, too)\n",
		},
		"two semaphores of two, of which one has a holder that will go on": {
			debug: true,
			begin: func(ctx context.Context) tasks {
				a, b := asyncio.NewSemaphore(2), asyncio.NewSemaphore(2)
				return tasks{
					named(ctx, "sleeper", func(ctx context.Context) error {
						return b.Do(ctx, func() error { return asyncio.Sleep(ctx, time.Hour) })
					}),
					named(ctx, "a-to-b", inOrder(a, b)), named(ctx, "b-to-a", inOrder(b, a)), named(ctx, "a-to-b, too", inOrder(a, b)),
				}
			},
			text: "sleeper: waits in asyncio.Sleep, called by X\n" +
				"a-to-b: waits in asyncio.(*Semaphore).Acquire, called by X; the semaphore is held by sleeper and b-to-a\n" +
				"b-to-a: waits in asyncio.(*Semaphore).Acquire, called by X; the semaphore is held by a-to-b and a-to-b, too\n" +
				"a-to-b, too: waits in asyncio.(*Semaphore).Acquire, called by X; the semaphore is held by sleeper and b-to-a\n",
		},
		"the places of a pool within each other": {
			debug: true,
			begin: func(ctx context.Context) tasks {
				places := asyncio.NewSemaphore(4)
				places.Do(ctx, func() error { return nil })
				return tasks{
					named(ctx, "one", inOrder(places, places)), named(ctx, "two", inOrder(places, places)),
					named(ctx, "three", inOrder(places, places)), named(ctx, "four", inOrder(places, places)),
				}
			},
			text: "one: waits in asyncio.(*Semaphore).Acquire, called by X; the semaphore is held by one, two, three and 1 more\n" +
				"two: waits in asyncio.(*Semaphore).Acquire, called by X; the semaphore is held by one, two, three and 1 more\n" +
				"three: waits in asyncio.(*Semaphore).Acquire, called by X; the semaphore is held by one, two, three and 1 more\n" +
				"four: waits in asyncio.(*Semaphore).Acquire, called by X; the semaphore is held by one, two, three and 1 more\n",
			warns: "W1: a circle: one waits for the semaphore held by one (and by 3 others, which wait, too)\n",
		},
		"places that nobody has given back himself yet": {
			debug: true,
			begin: func(ctx context.Context) tasks {
				room := asyncio.NewSemaphore(2)
				return tasks{named(ctx, "one", inOrder(room, room)), named(ctx, "two", inOrder(room, room))}
			},
			text: "one: waits in asyncio.(*Semaphore).Acquire, called by X; the semaphore is held by one and two\n" +
				"two: waits in asyncio.(*Semaphore).Acquire, called by X; the semaphore is held by one and two\n",
		},
		"places that others give back": {
			debug: true,
			begin: func(ctx context.Context) tasks {
				a, b := asyncio.NewSemaphore(2), asyncio.NewSemaphore(2)
				for _, s := range []*asyncio.Semaphore{a, b} {
					named(ctx, "giver", s.Acquire)
					asyncio.Sleep(ctx, 0)
					s.Release()
				}
				return tasks{
					named(ctx, "a-to-b", inOrder(a, b)), named(ctx, "b-to-a", inOrder(b, a)),
					named(ctx, "a-to-b, too", inOrder(a, b)), named(ctx, "b-to-a, too", inOrder(b, a)),
				}
			},
			text: "a-to-b: waits in asyncio.(*Semaphore).Acquire, called by X\n" +
				"b-to-a: waits in asyncio.(*Semaphore).Acquire, called by X\n" +
				"a-to-b, too: waits in asyncio.(*Semaphore).Acquire, called by X\n" +
				"b-to-a, too: waits in asyncio.(*Semaphore).Acquire, called by X\n",
		},
		"places of which a callback has one": {
			debug: true,
			begin: func(ctx context.Context) tasks {
				room, other := asyncio.NewSemaphore(2), asyncio.NewSemaphore(1)
				asyncio.CurrentTask(ctx).Loop().CallSoon(func() { room.Acquire(context.Background()) })
				asyncio.Sleep(ctx, 0)
				return tasks{named(ctx, "one", inOrder(room, other)), named(ctx, "two", inOrder(other, room))}
			},
			text: "one: waits in asyncio.(*Semaphore).Acquire, called by X; the semaphore is held by two\n" +
				"two: waits in asyncio.(*Semaphore).Acquire, called by X\n",
		},
		"a semaphore of one, twice": {
			begin: func(ctx context.Context) tasks {
				s := asyncio.NewSemaphore(1)
				use := func(ctx context.Context) error { return s.Do(ctx, func() error { return asyncio.Sleep(ctx, 0) }) }
				asyncio.Gather[asyncio.None](ctx, asyncio.Go(ctx, use), asyncio.Go(ctx, use)).Await(ctx)
				return tasks{named(ctx, "twice", inOrder(s, s))}
			},
			text:  "twice: waits in asyncio.(*Semaphore).Acquire, called by X; the semaphore is held by twice\n",
			warns: "W1: a circle: twice waits for the semaphore held by twice\n",
		},
		"a semaphore of one as a signal": {
			begin: func(ctx context.Context) tasks {
				s := asyncio.NewSemaphore(1)
				return tasks{named(ctx, "twice", inOrder(s, s))}
			},
			text: "twice: waits in asyncio.(*Semaphore).Acquire, called by X; the semaphore is held by twice\n",
		},
		"with contexts that say nothing": {
			begin: func(ctx context.Context) tasks {
				a, b := asyncio.NewSemaphore(1), asyncio.NewLock()
				hold := func(first, second interface{ Acquire(context.Context) error }) func(ctx context.Context) error {
					return func(ctx context.Context) error {
						first.Acquire(context.Background())
						asyncio.Sleep(ctx, 0)
						return second.Acquire(ctx)
					}
				}
				return tasks{named(ctx, "a-to-b", hold(a, b)), named(ctx, "b-to-a", hold(b, a))}
			},
			text: "a-to-b: waits in asyncio.(*Lock).Acquire, called by X; the lock is held by b-to-a\n" +
				"b-to-a: waits in asyncio.(*Semaphore).Acquire, called by X; the semaphore is held by a-to-b\n",
			warns: "W1: a circle: a-to-b waits for the lock held by b-to-a, which waits for the semaphore held by a-to-b\n",
		},
		"locks that callbacks release": {
			begin: func(ctx context.Context) tasks {
				a, b := asyncio.NewLock(), asyncio.NewLock()
				l := asyncio.CurrentTask(ctx).Loop()
				for _, lock := range []*asyncio.Lock{a, b} {
					lock.Acquire(ctx)
					named(ctx, "waiter", lock.Acquire)
					asyncio.Sleep(ctx, 0)
					l.CallSoon(lock.Release) // the main task's
					asyncio.Sleep(ctx, 0)
					asyncio.Sleep(ctx, 0)
					l.CallSoon(lock.Release) // the waiter's, which has ended
					asyncio.Sleep(ctx, 0)
				}
				named(ctx, "ended", b.Acquire)
				asyncio.Sleep(ctx, 0)
				named(ctx, "for the ended", b.Acquire)
				asyncio.Sleep(ctx, 0)
				l.CallSoon(b.Release)
				asyncio.Sleep(ctx, 0)
				asyncio.Sleep(ctx, 0)
				return tasks{named(ctx, "holder", func(ctx context.Context) error {
					return a.Do(ctx, func() error { return b.Acquire(ctx) })
				}), named(ctx, "waiter", a.Acquire)}
			},
			text: "holder: waits in asyncio.(*Lock).Acquire, called by X\n" +
				"waiter: waits in asyncio.(*Lock).Acquire\n",
		},
		"its own lock": {
			begin: func(ctx context.Context) tasks {
				var a asyncio.Lock
				return tasks{named(ctx, "twice", inOrder(&a, &a))}
			},
			text:  "twice: waits in asyncio.(*Lock).Acquire, called by X; the lock is held by twice\n",
			warns: "W1: a circle: twice waits for the lock held by twice\n",
		},
		"three tasks": {
			begin: func(ctx context.Context) tasks {
				var a, b, c *asyncio.Task[asyncio.None]
				a = named(ctx, "a", func(ctx context.Context) error { return awaits[asyncio.None](b)(ctx) })
				b = named(ctx, "b", func(ctx context.Context) error { return awaits[asyncio.None](c)(ctx) })
				c = named(ctx, "c", func(ctx context.Context) error { return awaits[asyncio.None](a)(ctx) })
				return tasks{a, b, c}
			},
			text: "a: waits in asyncio.(*Task[...]).Await, called by X\n" +
				"└─ b: waits in asyncio.(*Task[...]).Await, called by X\n" +
				"   └─ c: waits in asyncio.(*Task[...]).Await, called by X\n" +
				"      └─ a: see above\n",
			warns: "W1: a circle: a waits for b, which waits for c, which waits for a\n",
		},
		"task and lock": {
			begin: func(ctx context.Context) tasks {
				var a asyncio.Lock
				var child *asyncio.Task[asyncio.None]
				parent := named(ctx, "parent", func(ctx context.Context) error {
					return a.Do(ctx, func() error {
						child = named(ctx, "child", func(ctx context.Context) error { return a.Acquire(ctx) })
						return awaits[asyncio.None](child)(ctx)
					})
				})
				return tasks{parent}
			},
			text: "parent: waits in asyncio.(*Task[...]).Await, called by X\n" +
				"└─ child: waits in asyncio.(*Lock).Acquire, called by X; the lock is held by parent\n",
			warns: "W1: a circle: parent waits for child, which waits for the lock held by parent\n",
		},
		"gather": {
			begin: func(ctx context.Context) tasks {
				var parent *asyncio.Task[asyncio.None]
				parent = named(ctx, "parent", func(ctx context.Context) error {
					child := named(ctx, "child", func(ctx context.Context) error { return awaits[asyncio.None](parent)(ctx) })
					other := named(ctx, "other", func(ctx context.Context) error { return asyncio.Sleep(ctx, time.Hour) })
					_, err := asyncio.Gather[asyncio.None](ctx, other, child).Await(ctx)
					return err
				})
				return tasks{parent}
			},
			text: "parent: waits in asyncio.(*GatherFuture[...]).Await, called by X\n" +
				"├─ child: waits in asyncio.(*Task[...]).Await, called by X\n" +
				"│  └─ parent: see above\n" +
				"└─ other: waits in asyncio.Sleep, called by X\n",
			warns: "W1: a circle: parent waits for child, which waits for parent\n",
		},
		"group": {
			begin: func(ctx context.Context) tasks {
				var parent *asyncio.Task[asyncio.None]
				parent = named(ctx, "parent", func(ctx context.Context) error {
					return asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
						tg.Go(func(ctx context.Context) error {
							return awaits[asyncio.None](asyncio.Shield[asyncio.None](ctx, parent))(ctx)
						}, asyncio.WithTaskName("member"))
						return nil
					})
				})
				return tasks{parent}
			},
			text: "parent: waits in asyncio.RunTaskGroup, called by X\n" +
				"└─ member: waits in asyncio.(*Future[...]).Await, called by X\n" +
				"   └─ parent: see above\n",
			warns: "W1: a circle: parent waits for member, which waits for parent\n",
		},
		"the first that ends will do": {
			begin: func(ctx context.Context) tasks {
				var parent *asyncio.Task[asyncio.None]
				parent = named(ctx, "parent", func(ctx context.Context) error {
					child := named(ctx, "child", func(ctx context.Context) error { return awaits[asyncio.None](parent)(ctx) })
					other := named(ctx, "other", func(ctx context.Context) error { return asyncio.Sleep(ctx, time.Hour) })
					_, _, err := asyncio.Wait(ctx, []*asyncio.Task[asyncio.None]{other, child}, asyncio.FirstCompleted)
					return err
				})
				return tasks{parent}
			},
			text: "parent: waits in asyncio.Wait[...], called by X\n" +
				"├─ child: waits in asyncio.(*Task[...]).Await, called by X\n" +
				"│  └─ parent: see above\n" +
				"└─ other: waits in asyncio.Sleep, called by X\n",
		},
		"a forgotten lock": {
			begin: func(ctx context.Context) tasks {
				var a asyncio.Lock
				named(ctx, "forgetful", a.Acquire)
				return tasks{named(ctx, "one", a.Acquire), named(ctx, "two", a.Acquire)}
			},
			text: "one: waits in asyncio.(*Lock).Acquire; the lock is held by forgetful, which has ended without releasing it\n" +
				"two: waits in asyncio.(*Lock).Acquire; the lock is held by forgetful, which has ended without releasing it\n",
			warns: "W3: 2 tasks wait for a lock of forgetful, which has ended without releasing it\n",
		},
		"a semaphore that another may release": {
			begin: func(ctx context.Context) tasks {
				a := asyncio.NewSemaphore(1)
				named(ctx, "first", a.Acquire)
				return tasks{named(ctx, "one", a.Acquire), named(ctx, "two", a.Acquire)}
			},
			text: "one: waits in asyncio.(*Semaphore).Acquire; first, which has ended, has acquired the semaphore last\n" +
				"two: waits in asyncio.(*Semaphore).Acquire; first, which has ended, has acquired the semaphore last\n",
		},
		"semaphores that another has released": {
			begin: func(ctx context.Context) tasks {
				a, b := asyncio.NewSemaphore(1), asyncio.NewSemaphore(1)
				for _, s := range []*asyncio.Semaphore{a, b} {
					child := named(ctx, "child", s.Acquire)
					asyncio.Sleep(ctx, 0)
					named(ctx, "other", s.Acquire) // so that the loop is known
					asyncio.Sleep(ctx, 0)
					child.Await(ctx)
					s.Release()
					asyncio.Sleep(ctx, 0)
					s.Release()
				}
				return tasks{named(ctx, "a-to-b", inOrder(a, b)), named(ctx, "b-to-a", inOrder(b, a))}
			},
			text: "a-to-b: waits in asyncio.(*Semaphore).Acquire, called by X\n" +
				"b-to-a: waits in asyncio.(*Semaphore).Acquire, called by X\n",
		},
		"tasks without a name": {
			begin: func(ctx context.Context) tasks {
				var a, b asyncio.Lock
				return tasks{named(ctx, "", inOrder(&a, &b)), named(ctx, " ", inOrder(&b, &a))}
			},
			text: "task 2: waits in asyncio.(*Lock).Acquire, called by X; the lock is held by task 3\n" +
				"task 3: waits in asyncio.(*Lock).Acquire, called by X; the lock is held by task 2\n",
			warns: "W1: a circle: task 2 waits for the lock held by task 3, which waits for the lock held by task 2\n",
		},
		"a forgotten lock of a task without a name": {
			begin: func(ctx context.Context) tasks {
				var a asyncio.Lock
				named(ctx, "", a.Acquire)
				return tasks{named(ctx, "one", a.Acquire)}
			},
			text:  "one: waits in asyncio.(*Lock).Acquire; the lock is held by task 2, which has ended without releasing it\n",
			warns: "W3: 1 task waits for a lock of task 2, which has ended without releasing it\n",
		},
	} {
		t.Run(what, func(t *testing.T) {
			inTask(t, func(ctx context.Context, l *asyncio.Loop) {
				asyncio.CurrentTask(ctx).SetName("main")
				all := p.begin(ctx)
				for range 10 {
					asyncio.Sleep(ctx, 0)
				}
				here, err := l.Snapshot(ctx)
				require.NoError(t, err)
				there := &asyncio.Snapshot{Loops: []*asyncio.LoopSnapshot{snapshotOf(ctx, t, l)}}
				for _, s := range []*asyncio.Snapshot{here, there} {
					var b strings.Builder
					s.WriteTo(&b)
					_, text, _ := strings.Cut(withoutPlaces(b.String()), "\n") // main's line
					if i := strings.Index(text, "W1: "); i >= 0 {
						text = text[:i]
					}
					assert.Equal(t, p.text, text)
					warns := ""
					for _, w := range s.Loops[0].Warnings {
						if w.ID != "W11" {
							warns += w.ID + ": " + w.Text + "\n"
						}
					}
					assert.Equal(t, p.warns, warns)
				}
				for _, task := range all {
					task.Cancel()
				}
				for _, task := range asyncio.AllTasks(l) {
					if task.Name() != "main" {
						task.Cancel()
					}
				}
			}, asyncio.WithDebug(p.debug))
		})
	}
}
