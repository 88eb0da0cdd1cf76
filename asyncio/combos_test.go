package asyncio_test

import (
	"context"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

// What the scenarios of combinations share.

const shortly = 20 * time.Millisecond

// program runs f as a program's main.
func (s *script) program(f func(ctx context.Context) error) {
	s.t.Helper()
	s.must(asyncio.RunMain(context.Background(), f))
}

// doneWords is yes of the Done of each of ts, as arguments of print.
func doneWords[F asyncio.AnyFuture](ts []F) (words []any) {
	for _, t := range ts {
		words = append(words, yes(t.Done()))
	}
	return words
}

// withWords makes arguments of vs for print.
func withWords[T any](first any, vs []T) []any {
	words := []any{first}
	for _, v := range vs {
		words = append(words, v)
	}
	return words
}

// saying is a coroutine of several seeds, which prints when it begins and ends.
func (s *script) saying(begins, ends string, result int) asyncio.Coro[int] {
	return func(ctx context.Context) (int, error) {
		s.print(begins)
		if err := asyncio.Sleep(ctx, shortly); err != nil {
			return 0, err
		}
		s.print(ends)
		return result, nil
	}
}

func (s *script) numbered(n int) asyncio.Coro[int] {
	words := "协程" + string(rune('0'+n))
	return s.saying(words+"开始执行……", words+"结束执行……", n)
}

func (s *script) innerOf(n int) asyncio.Coro[int] {
	words := "innerCorouctine-" + string(rune('0'+n))
	return s.saying(words+"开始执行……", words+"结束执行……", n)
}

// nested runs the main coroutine of the nested seeds.
func (s *script) nested(f func(ctx context.Context, tasks []*asyncio.Task[int]) error) {
	l := asyncio.NewLoop()
	defer l.Close()
	_, err := asyncio.RunUntilComplete(l, asyncio.Func(func(ctx context.Context) error {
		s.print("outerCorouctine开始执行……")
		var tasks []*asyncio.Task[int]
		for _, n := range []int{1, 2, 3} {
			tasks = append(tasks, asyncio.CreateTask(ctx, s.innerOf(n)))
		}
		return f(ctx, tasks)
	}))
	s.must(err)
}
