package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

// numbers yields the numbers below n, and lets others run before each.
func numbers(n int) *asyncio.AsyncGen[int, asyncio.None] {
	return asyncio.NewAsyncGen(func(ctx context.Context, y *asyncio.AsyncYielder[int, asyncio.None]) error {
		defer fmt.Println("closed")
		for i := range n {
			if err := asyncio.Sleep(ctx, 0); err != nil {
				return err
			}
			if _, err := y.Yield(i); err != nil {
				return err
			}
		}
		return nil
	})
}

func ExampleAsyncGen_All() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		for i, err := range numbers(10).All(ctx) {
			if err != nil {
				return err
			}
			fmt.Println(i)
			if i == 1 {
				break
			}
		}
		return nil
	})
	// Output:
	// 0
	// 1
	// closed
}

func ExampleNewAsyncGen() {
	average := asyncio.NewAsyncGen(func(ctx context.Context, y *asyncio.AsyncYielder[float64, float64]) error {
		sum, n, mean := 0.0, 0.0, 0.0
		for {
			v, err := y.Yield(mean)
			if err != nil {
				return err
			}
			sum, n = sum+v, n+1
			mean = sum / n
		}
	})
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		average.Next(ctx) // to the first Yield
		for _, v := range []float64{10, 20, 60} {
			fmt.Println(average.Send(ctx, v))
		}
		fmt.Println(average.Close(ctx))
		_, err := average.Next(ctx)
		fmt.Println(errors.Is(err, asyncio.ErrStopAsyncIteration))
		return nil
	})
	// Output:
	// 10 <nil>
	// 15 <nil>
	// 30 <nil>
	// <nil>
	// true
}

func ExampleAsyncGen_Throw() {
	retrying := asyncio.NewAsyncGen(func(ctx context.Context, y *asyncio.AsyncYielder[string, asyncio.None]) error {
		for attempt := 1; ; attempt++ {
			if _, err := y.Yield(fmt.Sprint("attempt ", attempt)); err != nil {
				fmt.Println("told:", err)
				if errors.Is(err, asyncio.ErrGeneratorExit) {
					return err
				}
			}
		}
	})
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		fmt.Println(retrying.Next(ctx))
		fmt.Println(retrying.Throw(ctx, errors.New("refused")))
		return retrying.Close(ctx)
	})
	// Output:
	// attempt 1 <nil>
	// told: refused
	// attempt 2 <nil>
	// told: asyncio: generator exit
}

func ExampleLoop_ShutdownAsyncGens() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		g := numbers(10)
		fmt.Println(g.Next(ctx))
		return nil // Run closes what is left
	})
	// Output:
	// 0 <nil>
	// closed
}

// A countdown is an AsyncIterator.
type countdown struct{ from int }

func (c *countdown) Next(ctx context.Context) (int, error) {
	if c.from == 0 {
		return 0, asyncio.ErrStopAsyncIteration
	}
	c.from--
	return c.from + 1, asyncio.Sleep(ctx, time.Millisecond)
}

func ExampleAIter() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		for n, err := range asyncio.AIter(ctx, &countdown{3}) {
			fmt.Println(n, err)
		}
		return nil
	})
	// Output:
	// 3 <nil>
	// 2 <nil>
	// 1 <nil>
}

func ExampleANext() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		it := &countdown{1}
		fmt.Println(asyncio.ANext(ctx, it, -1))
		fmt.Println(asyncio.ANext(ctx, it, -1))
		return nil
	})
	// Output:
	// 1 <nil>
	// -1 <nil>
}

func ExampleCollect() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		fmt.Println(asyncio.Collect(asyncio.AIter(ctx, &countdown{3})))
		return nil
	})
	// Output:
	// [3 2 1] <nil>
}

// A session is a ContextManager.
type session struct{ user string }

func (s *session) Enter(ctx context.Context) (*session, error) {
	fmt.Println("log in")
	return s, asyncio.Sleep(ctx, 0)
}

func (s *session) Exit(ctx context.Context, err error) error {
	fmt.Println("log out:", err)
	return err
}

func ExampleWith() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		err := asyncio.With(ctx, &session{"ada"}, func(ctx context.Context, s *session) error {
			fmt.Println(s.user, "works")
			return errors.New("out of paper")
		})
		fmt.Println("after:", err)
		return nil
	})
	// Output:
	// log in
	// ada works
	// log out: out of paper
	// after: out of paper
}

func ExampleNewContextManager() {
	transaction := asyncio.NewContextManager(func(ctx context.Context, yield func(id int) error) error {
		fmt.Println("begin")
		if err := yield(17); err != nil {
			fmt.Println("roll back:", err)
			return err
		}
		fmt.Println("commit")
		return nil
	})
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		return asyncio.With(ctx, transaction, func(ctx context.Context, id int) error {
			fmt.Println("transaction", id)
			return nil
		})
	})
	// Output:
	// begin
	// transaction 17
	// commit
}

func ExampleExitStack() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		return asyncio.With(ctx, new(asyncio.ExitStack), func(ctx context.Context, stack *asyncio.ExitStack) error {
			for _, user := range []string{"ada", "bob"} {
				s, err := asyncio.EnterContext(ctx, stack, &session{user})
				if err != nil {
					return err
				}
				fmt.Println(s.user)
			}
			stack.Callback(func(ctx context.Context) error { fmt.Println("tidy up"); return nil })
			return nil
		})
	})
	// Output:
	// log in
	// ada
	// log in
	// bob
	// tidy up
	// log out: <nil>
	// log out: <nil>
}

func ExampleExitStack_PopAll() {
	// open gives all three or none.
	open := func(ctx context.Context) (*asyncio.ExitStack, error) {
		var stack asyncio.ExitStack
		defer stack.Close(ctx)
		for _, user := range []string{"ada", "bob", "eve"} {
			if _, err := asyncio.EnterContext(ctx, &stack, &session{user}); err != nil {
				return nil, err
			}
		}
		return stack.PopAll(), nil
	}
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		all, err := open(ctx)
		fmt.Println("open:", err)
		all.Close(ctx)
		return nil
	})
	// Output:
	// log in
	// log in
	// log in
	// open: <nil>
	// log out: <nil>
	// log out: <nil>
	// log out: <nil>
}

func ExampleChainedError() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		var stack asyncio.ExitStack
		stack.Callback(func(ctx context.Context) error { return errors.New("cannot close") })
		err := stack.Exit(ctx, errors.New("cannot write"))
		fmt.Println(err)
		var chained *asyncio.ChainedError
		if errors.As(err, &chained) {
			fmt.Println(chained.Err, "after", chained.Context)
		}
		return nil
	})
	// Output:
	// cannot close (while handling: cannot write)
	// cannot close after cannot write
}

func ExampleClosing() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		return asyncio.With(ctx, asyncio.Closing(numbers(10)), func(ctx context.Context, g *asyncio.AsyncGen[int, asyncio.None]) error {
			fmt.Println(g.Next(ctx))
			return nil
		})
	})
	// Output:
	// 0 <nil>
	// closed
}

func ExampleContextVar() {
	user := asyncio.NewContextVar("user", "nobody")
	greet := func(ctx context.Context) error {
		fmt.Println("hello", user.Get(ctx))
		return nil
	}
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		inner := user.With(ctx, "ada")
		task := asyncio.Go(inner, greet)
		inner = user.With(inner, "bob") // the task has its own
		task.Await(ctx)
		greet(inner)
		return greet(ctx)
	})
	// Output:
	// hello ada
	// hello bob
	// hello nobody
}

func ExampleNewCoroutine() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		c := asyncio.NewCoroutine(func(ctx context.Context) (string, error) {
			fmt.Println("runs")
			return "result", nil
		})
		fmt.Println("nothing has run")
		fmt.Println(c.Await(ctx))
		_, err := c.Await(ctx)
		fmt.Println(err)
		return nil
	})
	// Output:
	// nothing has run
	// runs
	// result <nil>
	// asyncio: cannot reuse already awaited coroutine
}

func ExampleCoroutine_Send() {
	l := asyncio.NewLoop() // nobody runs it
	defer l.Close()
	price := asyncio.NewFuture[int](l)
	c := asyncio.NewCoroutine(func(ctx context.Context) (int, error) {
		p, err := price.Await(ctx)
		return p * 2, err
	})
	waits, err := c.Send(nil)
	fmt.Println("waits:", waits == asyncio.AnyFuture(price), err)
	price.SetResult(21)
	_, err = c.Send(nil)
	fmt.Println("ended:", errors.Is(err, asyncio.ErrStopIteration))
	fmt.Println(c.Result())
	// Output:
	// waits: true <nil>
	// ended: true
	// 42 true
}
