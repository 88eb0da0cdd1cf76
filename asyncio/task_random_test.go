package asyncio_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
)

// Random programs of tasks that wait for each other, which
// testdata/conformance/random/tasks.py has made: they are part of its log. CPython
// has printed what happens in them, in which order.

var tasksLog = flag.String("tasks.log", "testdata/conformance/random/tasks.3.15.out", "what CPython has printed of the random programs of TestRandomTasks")

func TestRandomTasks(t *testing.T) {
	file, err := os.Open(*tasksLog)
	require.NoError(t, err)
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for n := 0; lines.Scan(); n++ {
		source, want, _ := strings.Cut(lines.Text(), " | ")
		var program struct {
			Tasks []aBranch
			Pokes [][]any
		}
		require.NoError(t, json.Unmarshal([]byte(source), &program))
		p := &taskPlayer{}
		runMain(t, func(ctx context.Context) error { return p.main(ctx, program.Tasks, program.Pokes) },
			asyncio.WithLoopFactory(scenarioLoop))
		if got := strings.Join(p.said, " "); !alike(got, want) {
			i := 0
			for i < min(len(got), len(want)) && got[i] == want[i] {
				i++
			}
			i = strings.LastIndexByte(want[:i], ' ') + 1
			t.Errorf("program %d:\n%s\n  %s\n- %s\n+ %s", n, source, want[:i], want[i:], got[i:])
		}
	}
	require.NoError(t, lines.Err())
}

// alike reports whether got is want, but that a cancel may have its message where
// Python has lost it: there the first who asks a task for its error gets the message, and
// the others get none.
func alike(got, want string) bool {
	return got == want || regexp.MustCompile("^"+bare.ReplaceAllString(regexp.QuoteMeta(want), "C(?:m\\d|f|end)?$1")+"$").MatchString(got)
}

var bare = regexp.MustCompile(`\bC\b([^a-z])`)

// An aBranch is a task of a program: whether it is eager, and what it does.
type aBranch struct {
	eager bool
	ops   []any
}

func (b *aBranch) UnmarshalJSON(data []byte) error {
	return json.Unmarshal(data, &[]any{&b.eager, &b.ops})
}

func branchOf(v any) aBranch { return aBranch{v.([]any)[0].(bool), v.([]any)[1].([]any)} }

// A taskPlayer plays a program, as the Player of tasks.py.
type taskPlayer struct {
	said    []string
	over    bool
	futures []*asyncio.Future[int]
	tasks   []*asyncio.Task[int]
}

func (p *taskPlayer) say(format string, args ...any) {
	if !p.over {
		p.said = append(p.said, fmt.Sprintf(format, args...))
	}
}

func number64(v any) int { return int(v.(float64)) }

func millis(v any) time.Duration { return time.Duration(number64(v)) * time.Millisecond }

func shortName(err error) string {
	if g, ok := err.(*asyncio.ExceptionGroup); ok {
		var names []string
		for _, e := range g.Exceptions {
			names = append(names, shortName(e))
		}
		return "G[" + strings.Join(names, " ") + "]"
	}
	switch c := (*asyncio.CancelledError)(nil); {
	case errors.As(err, &c):
		if c.Msg == nil {
			return "C"
		}
		return fmt.Sprint("C", c.Msg)
	case errors.Is(err, asyncio.ErrTimeout):
		return "T"
	case pyName(err) == "ValueError":
		return "E" + pyMessage(err)
	}
	return pyName(err)
}

func (p *taskPlayer) settle(k, how int) string {
	f := p.futures[k]
	var err error
	switch how {
	case 0:
		err = f.SetResult(10 + k)
	case 1:
		err = f.SetException(valueError(fmt.Sprint(20 + k)))
	default:
		return yesOrNo(f.Cancel("f"))
	}
	if err != nil {
		return shortName(err)
	}
	return "ok"
}

func yesOrNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

func (p *taskPlayer) cancel(j, msg int) string {
	if j >= len(p.tasks) {
		return "none"
	}
	return yesOrNo(p.tasks[j].Cancel(fmt.Sprint("m", msg)))
}

func (p *taskPlayer) awaitable(ctx context.Context, me string, item []any) asyncio.Awaitable[int] {
	switch item[0] {
	case "t":
		return p.tasks[number64(item[1])]
	case "S":
		return asyncio.Shield(ctx, asyncio.Awaitable[int](p.tasks[number64(item[1])]))
	case "f":
		return p.futures[number64(item[1])]
	case "F":
		return asyncio.Shield(ctx, asyncio.Awaitable[int](p.futures[number64(item[1])]))
	}
	return asyncio.Coro[int](func(ctx context.Context) (int, error) { return p.run(ctx, me+"c", item[1].([]any), nil) })
}

func (p *taskPlayer) awaitables(ctx context.Context, me string, items any) (all []asyncio.Awaitable[int]) {
	for _, item := range items.([]any) {
		all = append(all, p.awaitable(ctx, me, item.([]any)))
	}
	return all
}

// do does one thing, and returns what there is to say of it.
func (p *taskPlayer) do(ctx context.Context, me string, op []any, group *asyncio.TaskGroup) (string, error) {
	result := func(v int, err error) (string, error) { return fmt.Sprint(v), err }
	switch op[0] {
	case "y":
		return "", asyncio.Sleep(ctx, 0)
	case "s":
		return "", asyncio.Sleep(ctx, millis(op[1]))
	case "t", "S", "f", "F":
		return result(p.awaitable(ctx, me, op).Await(ctx))
	case "c":
		return p.cancel(number64(op[1]), number64(op[2])), nil
	case "r":
		return p.settle(number64(op[1]), number64(op[2])), nil
	case "e":
		return "", valueError(fmt.Sprint(op[1]))
	case "n":
		return fmt.Sprint(asyncio.CurrentTask(ctx).Cancelling()), nil
	case "u":
		return fmt.Sprint(asyncio.CurrentTask(ctx).Uncancel()), nil
	case "x":
		if group != nil {
			group.Cancel()
		}
	case "w":
		return result(asyncio.WaitFor(ctx, millis(op[1]), p.awaitable(ctx, me, op[2].([]any))))
	case "o":
		var v int
		err := asyncio.WithTimeout(ctx, millis(op[1]), func(ctx context.Context, _ *asyncio.Timeout) (err error) {
			v, err = p.run(ctx, me+"o", op[2].([]any), group)
			return err
		})
		return result(v, err)
	case "g":
		return "", asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
			for n, v := range op[1].([]any) {
				child := branchOf(v)
				made := asyncio.GroupTask(tg, func(ctx context.Context) (int, error) {
					return p.run(ctx, fmt.Sprint(me, "g", n), child.ops, tg)
				}, asyncio.EagerStart(child.eager))
				if err := refusal(made); err != nil {
					return err
				}
			}
			_, err := p.run(ctx, me+"b", op[2].([]any), tg)
			return err
		})
	case "G":
		var got []string
		if number64(op[1]) == 1 {
			all, err := asyncio.GatherOutcomes(ctx, p.awaitables(ctx, me, op[2])...).Await(ctx)
			if err != nil {
				return "", err
			}
			for _, o := range all {
				if o.Err != nil {
					got = append(got, "'"+shortName(o.Err)+"'")
				} else {
					got = append(got, fmt.Sprint(o.Value))
				}
			}
		} else {
			all, err := asyncio.Gather(ctx, p.awaitables(ctx, me, op[2])...).Await(ctx)
			if err != nil {
				return "", err
			}
			for _, v := range all {
				got = append(got, fmt.Sprint(v))
			}
		}
		return "[" + strings.Join(got, ",") + "]", nil
	case "W":
		var opts []asyncio.WaitOption
		opts = append(opts, asyncio.ReturnWhen(number64(op[1])))
		if d := millis(op[2]); d != 0 {
			opts = append(opts, asyncio.Within(d))
		}
		fs := p.awaitables(ctx, me, op[3])
		done, _, err := asyncio.Wait(ctx, fs, opts...)
		if err != nil {
			return "", err
		}
		var got []string
		for i, f := range fs {
			for _, d := range done {
				if f == d {
					got = append(got, fmt.Sprint(i))
				}
			}
		}
		return "[" + strings.Join(got, ",") + "]", nil
	case "A":
		var opts []asyncio.AsCompletedOption
		if d := millis(op[1]); d != 0 {
			opts = append(opts, asyncio.Within(d))
		}
		var got []string
		for f, err := range asyncio.AsCompletedTasks(ctx, p.awaitables(ctx, me, op[2]), opts...) {
			if err != nil {
				return "", err
			}
			got = append(got, "'"+stateOf(f)+"'")
		}
		slices.Sort(got)
		return "[" + strings.Join(got, ",") + "]", nil
	default:
		panic(fmt.Sprint("what is ", op))
	}
	return "", nil
}

func (p *taskPlayer) run(ctx context.Context, me string, ops []any, group *asyncio.TaskGroup) (int, error) {
	for n, v := range ops {
		op := v.([]any)
		where := fmt.Sprint(me, n)
		got, err := p.do(ctx, where, op, group)
		if err == nil {
			if got != "" {
				got = "=" + got
			}
			p.say("%s%s", where, got)
			continue
		}
		p.say("%s!%s", where, shortName(err))
		cancelled := errors.Is(err, asyncio.ErrCancelled)
		if _, group := err.(*asyncio.ExceptionGroup); group {
			cancelled = false
		}
		switch policy := op[len(op)-1]; {
		case policy == "p", policy == "e" && cancelled:
			return 0, err
		case policy == "k" && cancelled:
			asyncio.CurrentTask(ctx).Uncancel()
		case policy == "l":
			if again := asyncio.Sleep(ctx, 0); again != nil {
				p.say("%s!!%s", where, shortName(again))
			}
			return 0, err
		}
	}
	return len(ops), nil
}

func stateOf(f interface {
	asyncio.AnyFuture
	Result() (int, error)
}) string {
	if !f.Done() {
		return "pending"
	}
	if f.Cancelled() {
		return "cancelled"
	}
	v, err := f.Result()
	if err != nil {
		return shortName(err)
	}
	return fmt.Sprint(v)
}

func (p *taskPlayer) main(ctx context.Context, tasks []aBranch, pokes [][]any) error {
	l := mustLoop(ctx)
	l.SetExceptionHandler(func(*asyncio.Loop, asyncio.ExceptionContext) {})
	for range 3 {
		p.futures = append(p.futures, asyncio.NewFuture[int](l))
	}
	for i, b := range tasks {
		p.tasks = append(p.tasks, asyncio.CreateTask(ctx, func(ctx context.Context) (int, error) {
			return p.run(ctx, fmt.Sprint(i, "."), b.ops, nil)
		}, asyncio.EagerStart(b.eager)))
	}
	for _, poke := range pokes {
		if wait := number64(poke[0]); wait >= 10 {
			asyncio.Sleep(ctx, millis(poke[0]))
		} else {
			for range wait {
				asyncio.Sleep(ctx, 0)
			}
		}
		switch poke[1] {
		case "c":
			p.say("cancel%v=%s", poke[2], p.cancel(number64(poke[2]), number64(poke[3])))
		case "r":
			p.say("future%v=%s", poke[2], p.settle(number64(poke[2]), number64(poke[3])))
		}
	}
	for range 12 {
		left := false
		for _, t := range p.tasks {
			left = left || !t.Done()
		}
		if !left {
			break
		}
		asyncio.Sleep(ctx, 1000*time.Second)
		p.say("end")
		for _, t := range p.tasks {
			t.Cancel("end")
		}
		asyncio.Sleep(ctx, 0)
	}
	asyncio.Sleep(ctx, 1000*time.Second)
	for _, t := range p.tasks {
		p.say("%s", stateOf(t))
	}
	for _, f := range p.futures {
		p.say("%s", stateOf(f))
	}
	p.over = true
	for len(l.AllTasks()) > 1 {
		for _, t := range l.AllTasks() {
			if t != asyncio.CurrentTask(ctx) {
				t.Cancel()
			}
		}
		asyncio.Sleep(ctx, time.Second)
	}
	return nil
}
