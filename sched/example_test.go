package sched_test

import (
	"fmt"
	"time"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/sched"
)

func Example() {
	l := sched.New()
	defer l.Close()
	for _, name := range []string{"a", "b"} {
		l.Go(func() {
			for i := range 2 {
				fmt.Println(name, i)
				l.Yield()
			}
		})
	}
	l.Run()
	// Output:
	// a 0
	// b 0
	// a 1
	// b 1
}

// A task can wait in the middle of any call.
func ExampleLoop_Sleep() {
	l := sched.New()
	defer l.Close()
	brew := func(what string, d time.Duration) string {
		l.Sleep(d)
		return what + " is ready"
	}
	l.Go(func() { fmt.Println(brew("coffee", 100*time.Millisecond)) })
	l.Go(func() { fmt.Println(brew("tea", 50*time.Millisecond)) })
	l.Run()
	// Output:
	// tea is ready
	// coffee is ready
}

func ExampleTask_Join() {
	l := sched.New()
	defer l.Close()
	l.Go(func() {
		sum := 0
		var parts []*sched.Task
		for i := range 4 {
			parts = append(parts, l.Go(func() {
				l.Yield()
				sum += i // no other task runs meanwhile
			}))
		}
		for _, p := range parts {
			p.Join()
		}
		fmt.Println(sum)
	})
	l.Run()
	// Output: 6
}

// Park and Ready are what everything else that waits is made of: here a mailbox.
func ExampleLoop_Park() {
	l := sched.New()
	defer l.Close()
	var mail []string
	reader := l.Go(func() {
		for range 2 {
			for len(mail) == 0 {
				l.Park()
			}
			fmt.Println("got", mail[0])
			mail = mail[1:]
		}
	})
	l.Go(func() {
		for _, m := range []string{"hello", "goodbye"} {
			mail = append(mail, m)
			reader.Ready()
			l.Yield()
		}
	})
	l.Run()
	// Output:
	// got hello
	// got goodbye
}

// A WaitQueue makes a semaphore: those who wait are served in their order.
func ExampleWaitQueue() {
	l := sched.New()
	defer l.Close()
	free := 2
	var waiting sched.WaitQueue
	for i := range 4 {
		l.Go(func() {
			for free == 0 {
				waiting.Add(l.Current())
				l.Park()
			}
			free--
			fmt.Println(i, "enters")
			l.Yield()
			fmt.Println(i, "leaves")
			free++
			waiting.Wake()
		})
	}
	l.Run()
	// Output:
	// 0 enters
	// 1 enters
	// 0 leaves
	// 1 leaves
	// 2 enters
	// 3 enters
	// 2 leaves
	// 3 leaves
}

// A wait with a time limit: what comes first, Ready or the alarm, ends it.
func ExampleTask_SetAlarm() {
	l := sched.New()
	defer l.Close()
	answered := false
	asker := l.Go(func() {
		me := l.Current()
		me.SetAlarm(time.Hour)
		for !answered && me.Alarmed() {
			l.Park()
		}
		me.ClearAlarm()
		fmt.Println("answered:", answered)
	})
	l.Go(func() {
		l.Sleep(time.Millisecond)
		answered = true
		asker.Ready()
	})
	l.Run()
	// Output: answered: true
}

// StartNow runs a task up to where it waits for the first time.
func ExampleLoop_StartNow() {
	l := sched.New()
	defer l.Close()
	l.Go(func() {
		var t sched.Task
		l.StartNow(&t, greeter{l})
		fmt.Println("it waits")
	})
	l.Run()
	// Output:
	// hello
	// it waits
	// goodbye
}

type greeter struct{ l *sched.Loop }

func (g greeter) Run() {
	fmt.Println("hello")
	g.l.Yield()
	fmt.Println("goodbye")
}

// Callbacks run between the steps of tasks, and must not wait.
func ExampleLoop_Soon() {
	l := sched.New()
	defer l.Close()
	l.Soon(func() { fmt.Println("first") })
	l.Soon(func() { fmt.Println("never") }).Cancel()
	l.After(50*time.Millisecond, func() { fmt.Println("last"); l.Stop() })
	l.After(time.Millisecond, func() { fmt.Println("then") })
	l.RunForever()
	// Output:
	// first
	// then
	// last
}

// Other goroutines reach a loop by Post.
func ExampleLoop_Post() {
	l := sched.New()
	defer l.Close()
	l.Go(func() {
		me, answer := l.Current(), 0
		go func() {
			n := 6 * 7 // takes long, or blocks
			l.Post(func() {
				answer = n
				me.Ready()
			})
		}()
		for answer == 0 {
			l.Park()
		}
		fmt.Println(answer)
	})
	l.Run()
	// Output: 42
}

// WhenQuiet is the moment to do at once what many tasks have asked for.
func ExampleLoop_WhenQuiet() {
	l := sched.New()
	defer l.Close()
	var wanted []int
	want := func(n int) {
		if len(wanted) == 0 {
			l.WhenQuiet(func() { fmt.Println("fetch", wanted) })
		}
		wanted = append(wanted, n)
	}
	for i := range 3 {
		l.Go(func() {
			want(i)
			l.Yield()
			want(10 + i)
		})
	}
	l.Run()
	// Output: fetch [0 1 2 10 11 12]
}

// The tasks of a turn in an order that the seed decides.
func ExampleWithSeed() {
	for _, seed := range []uint64{1, 2, 1} {
		var order []int
		l := sched.New(sched.WithSeed(seed))
		for i := range 5 {
			l.Go(func() { order = append(order, i) })
		}
		l.Run()
		l.Close()
		fmt.Println(order)
	}
	// Output:
	// [1 0 2 3 4]
	// [4 3 1 2 0]
	// [1 0 2 3 4]
}

// A clock that goes to the next timer by itself: an hour takes no time.
func ExampleWithClock() {
	l := sched.New(sched.WithClock(&jumpClock{}))
	defer l.Close()
	l.Go(func() {
		l.Sleep(time.Hour)
		fmt.Println(l.Now())
	})
	l.Run()
	// Output: 1h0m0s
}

// A generator that waits: whatever greenlets a task makes may wait, too.
func ExampleTask_Greenlet() {
	l := sched.New()
	defer l.Close()
	l.Go(func() {
		task := greenlet.Current()
		numbers := greenlet.New(func(any) (any, error) {
			for i := range 3 {
				l.Sleep(time.Millisecond)
				task.Switch(i)
			}
			return nil, nil
		})
		for n, _ := numbers.Switch(nil); n != nil; n, _ = numbers.Switch(nil) {
			fmt.Println(n)
		}
	})
	l.Run()
	// Output:
	// 0
	// 1
	// 2
}
