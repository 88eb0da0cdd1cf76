package greenlet_test

import (
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/go-greenlet/greenlet"
)

// The generators of the programs yield, are sent and return any value.
type (
	anyGenerator = greenlet.Generator[any, any, any]
	anyYielder   = greenlet.Yielder[any, any]
)

func generatorOf(body func(y *anyYielder) (any, error)) *anyGenerator {
	return greenlet.NewGenerator(body)
}

// A stopIteration is Python's: what the generator returned, if it did
// so in the call that stopped.
type stopIteration struct{ value any }

func (stopIteration) Error() string { return "StopIteration" }

// A step is a call of a generator. stepOf returns what the call gives; if it
// stopped, the error is a stopIteration.
func stepOf(g *anyGenerator, step func() (any, error)) (any, error) {
	_, before := g.Result()
	v, err := step()
	if !errors.Is(err, greenlet.ErrStop) {
		return v, err
	}
	if value, ok := g.Result(); ok && !before {
		return nil, stopIteration{value}
	}
	return nil, stopIteration{}
}

func nextOf(g *anyGenerator) (any, error) { return stepOf(g, g.Next) }

func sendTo(g *anyGenerator, v any) (any, error) {
	return stepOf(g, func() (any, error) { return g.Send(v) })
}

func throwAt(g *anyGenerator, err error) (any, error) {
	return stepOf(g, func() (any, error) { return g.Throw(err) })
}

// listOf is Python's list(g).
func listOf(g *anyGenerator) []any { return slices.AppendSeq([]any{}, g.All()) }

// playGenSendAndReturn: Send delivers the value of the Yield that waits; what
// the body returns comes with the stop.
func playGenSendAndReturn(s *scene) {
	g := generatorOf(func(y *anyYielder) (any, error) {
		s.log("averager starts")
		total, count := 0, 0
		var average any
		for {
			got, err := y.Yield(average)
			if err != nil {
				return nil, err
			}
			s.log("averager got", got)
			if got == nil {
				break
			}
			total += got.(int)
			count++
			average = total / count
		}
		return []any{count, total}, nil
	})
	s.log("created, nothing ran yet")
	s.log("first next gives", s.got(nextOf(g)))
	for _, n := range []int{10, 20, 60} {
		s.log("send gives", s.got(sendTo(g, n)))
	}
	var stop stopIteration
	if _, err := nextOf(g); errors.As(err, &stop) { // the same as sending none
		s.log("finished with value", stop.value)
	} else {
		s.log("not reached")
	}
	if _, err := nextOf(g); errors.As(err, &stop) {
		s.log("already finished, value", stop.value)
	}
	if _, err := sendTo(g, 5); errors.As(err, &stop) {
		s.log("already finished, value", stop.value)
	}

	countTo := func(n int) *anyGenerator {
		return generatorOf(func(y *anyYielder) (any, error) {
			for i := 1; i <= n; i++ {
				if _, err := y.Yield(i); err != nil {
					return nil, err
				}
			}
			return "ignored by for loops", nil
		})
	}
	for x := range countTo(3).All() {
		s.log("loop", x)
	}
	s.log("list", listOf(countTo(4)))
}

// playGenThrow: an error that is thrown comes out of the Yield that waits; the
// result is what is yielded next.
func playGenThrow(s *scene) {
	round := func(y *anyYielder, n int) error {
		defer s.log("worker round", n, "ends")
		s.log("worker yields", n)
		_, err := y.Yield(n)
		if is[valueError](err) {
			s.log("worker caught", err)
			_, err = y.Yield("recovered from " + string(err.(valueError)))
		}
		return err
	}
	g := generatorOf(func(y *anyYielder) (any, error) {
		for n := 1; ; n++ {
			if err := round(y, n); err != nil {
				return nil, err
			}
		}
	})
	s.log("next gives", s.got(nextOf(g)))
	s.log("next gives", s.got(nextOf(g)))
	s.log("throw gives", s.got(throwAt(g, valueError("v1"))))
	s.log("next gives", s.got(nextOf(g)))
	if _, err := throwAt(g, lookupError("nobody handles this")); is[lookupError](err) {
		s.log("caller caught", err)
	} else {
		s.log("not reached")
	}
	if _, err := nextOf(g); is[stopIteration](err) {
		s.log("worker is finished")
	}

	g = generatorOf(func(y *anyYielder) (any, error) {
		if _, err := y.Yield("alive"); is[boom](err) {
			return "last words", nil
		} else if err != nil {
			return nil, err
		}
		return nil, nil
	})
	s.log("next gives", s.got(nextOf(g)))
	var stop stopIteration
	if _, err := throwAt(g, boom("now")); errors.As(err, &stop) {
		s.log("finished with value", stop.value)
	}
}

// playGenClose: Close throws Exit at the Yield that waits; a second one does
// nothing.
func playGenClose(s *scene) {
	resource := func(name string) *anyGenerator {
		return generatorOf(func(y *anyYielder) (any, error) {
			s.log(name, "opens")
			defer s.log(name, "cleanup")
			for i := 1; i <= 2; i++ {
				if _, err := y.Yield(i); err != nil {
					if errors.Is(err, greenlet.Exit) {
						s.log(name, "is told to close")
					}
					return nil, err
				}
			}
			s.log(name, "ran to its end")
			return nil, nil
		})
	}
	closes := func(g *anyGenerator) {
		if err := g.Close(); err != nil {
			s.log("close raised", err)
		}
	}
	g := resource("r1")
	s.log("next gives", s.got(nextOf(g)))
	closes(g)
	s.log("closed")
	closes(g)
	s.log("closed again")
	if _, err := nextOf(g); is[stopIteration](err) {
		s.log("r1 is finished")
	}

	g = resource("r2")
	closes(g)
	s.log("r2 closed before it started")
	s.log("r2 gives", listOf(g))

	g = resource("r3")
	s.log("r3 gives", listOf(g))
	closes(g)
	s.log("r3 closed after its end")

	g = generatorOf(func(y *anyYielder) (any, error) {
		defer s.log("outer cleanup")
		return func() (any, error) {
			defer s.log("inner cleanup")
			return y.Yield("paused")
		}()
	})
	s.got(nextOf(g))
	closes(g)

	g = generatorOf(func(y *anyYielder) (_ any, err error) {
		defer func() { err = valueError("cleanup failed") }()
		return y.Yield("paused")
	})
	s.got(nextOf(g))
	closes(g)
	closes(g)
	s.log("closed")
}

// playYieldFrom: YieldFrom passes values both ways and returns what the inner
// generator returned.
func playYieldFrom(s *scene) {
	inner := func(name string, n int) *anyGenerator {
		return generatorOf(func(y *anyYielder) (any, error) {
			s.log(name, "starts")
			total := 0
			for i := range n {
				got, err := y.Yield(fmt.Sprint(name, i))
				if err != nil {
					return nil, err
				}
				s.log(name, "got", got)
				if got != nil {
					total += got.(int)
				}
			}
			s.log(name, "returns", total)
			return total, nil
		})
	}
	g := generatorOf(func(y *anyYielder) (any, error) {
		first := s.got(greenlet.YieldFrom(y, inner("a", 2)))
		s.log("outer: a was", first)
		second := s.got(greenlet.YieldFrom(y, inner("b", 1)))
		s.log("outer: b was", second)
		s.log("outer got", s.got(y.Yield("outer's own")))
		s.log("outer: c was", s.got(greenlet.YieldFrom(y, inner("c", 0)))) // yields nothing at all
		return []any{first, second}, nil
	})
	s.log("gives", s.got(nextOf(g)))
	for _, n := range []int{10, 5, 7} {
		s.log("gives", s.got(sendTo(g, n)))
	}
	var stop stopIteration
	if _, err := sendTo(g, "the end"); errors.As(err, &stop) {
		s.log("finished with value", stop.value)
	}

	var flatten func(tree []any) *anyGenerator
	flatten = func(tree []any) *anyGenerator {
		return generatorOf(func(y *anyYielder) (v any, err error) {
			for _, node := range tree {
				if branch, ok := node.([]any); ok {
					_, err = greenlet.YieldFrom(y, flatten(branch))
				} else {
					_, err = y.Yield(node)
				}
				if err != nil {
					return nil, err
				}
			}
			return nil, nil
		})
	}
	type l = []any
	s.log("flat", listOf(flatten(l{1, l{2, l{3, l{}, l{4}}}, 5, l{l{6}}})))
}

// The tutorial programs print with print, so what they print is logged.

// playSimpleYieldFrom is yield and yield from.
func playSimpleYieldFrom(s *scene) {
	fun2 := func(y *anyYielder) (any, error) {
		s.got(y.Yield(3))
		return y.Yield(4)
	}
	f1 := generatorOf(func(y *anyYielder) (any, error) {
		s.got(y.Yield(1))
		s.got(greenlet.YieldFrom(y, generatorOf(fun2)))
		return y.Yield(2)
	})
	for item := range f1.All() {
		s.log(item)
	}
}

// counting is a generator that yields 0 to n-1, as range(n).
func counting(n int) *anyGenerator {
	return generatorOf(func(y *anyYielder) (any, error) {
		for i := range n {
			if _, err := y.Yield(i); err != nil {
				return nil, err
			}
		}
		return nil, nil
	})
}

// typeName is Python's type(v).__name__.
func typeName(v any) string {
	switch v.(type) {
	case []any:
		return "list"
	case *anyGenerator:
		return "generator"
	}
	return fmt.Sprintf("%T", v)
}

// playGeneratorExpression: a list and a generator; the latter is used up.
func playGeneratorExpression(s *scene) {
	s.log(typeName(listOf(counting(5))))
	s.log(typeName(counting(5)))
	a := counting(5)
	for range 5 {
		s.log(s.got(nextOf(a)))
	}
	if _, err := nextOf(a); is[stopIteration](err) {
		s.log(err)
	}
}

// myIterator is an iterator by hand: no generator, but ranged over like one.
type myIterator struct {
	data  []int
	index int
}

func (it *myIterator) next() (int, error) {
	it.index++
	if it.index == len(it.data) {
		return 0, greenlet.ErrStop
	}
	return it.data[it.index], nil
}

func (it *myIterator) all() iter.Seq[int] {
	return func(yield func(int) bool) {
		for v, err := it.next(); err == nil && yield(v); v, err = it.next() {
		}
	}
}

func playIteratorClass(s *scene) {
	for x := range (&myIterator{data: []int{10, 20, 30}, index: -1}).all() {
		s.log(x)
	}
}

// playGeneratorSteps: the body runs only between two calls.
func playGeneratorSteps(s *scene) {
	fun := func() *anyGenerator {
		return generatorOf(func(y *anyYielder) (any, error) {
			for i := range 5 {
				s.log("Start...")
				s.got(y.Yield(i))
			}
			return nil, nil
		})
	}
	s.log(typeName(fun()))
	for i := range fun().All() {
		s.log(i)
	}
	fun2 := func() *anyGenerator {
		return generatorOf(func(y *anyYielder) (any, error) {
			s.log(1.1)
			s.got(y.Yield(2.1))
			s.log(1.2)
			s.got(y.Yield(2.2))
			s.log(1.3)
			return nil, nil
		})
	}
	for i := range fun2().All() {
		s.log(i)
	}
	for i := range fun2().All() {
		s.log("=======")
		s.log(i)
	}
}

// playGeneratorSend: Send gives the value of the Yield that waits; there must
// be one.
func playGeneratorSend(s *scene) {
	fun := func(y *anyYielder) (any, error) {
		for i := range 5 {
			s.log("Start...")
			s.log(s.got(y.Yield(i)))
		}
		return nil, nil
	}
	f := generatorOf(fun)
	for range 3 {
		s.log(s.got(nextOf(f)))
	}
	s.log(s.got(sendTo(f, "hello")))
	if _, err := sendTo(generatorOf(fun), "too early"); errors.Is(err, greenlet.ErrJustStarted) {
		s.log("TypeError can't send non-None value to a just-started generator")
	}
}

// playGeneratorExhausted: the stop comes after the last line.
func playGeneratorExhausted(s *scene) {
	g := generatorOf(func(y *anyYielder) (any, error) {
		for i := 1; i <= 3; i++ {
			s.log("line", i)
			s.got(y.Yield(i))
		}
		s.log("line", 4)
		return nil, nil
	})
	for range 3 {
		s.log(s.got(nextOf(g)))
	}
	if _, err := nextOf(g); is[stopIteration](err) {
		s.log(err)
	}
}

// playYieldFromDelegation: what is sent and what is returned passes through a
// generator that delegates.
func playYieldFromDelegation(s *scene) {
	counter := func(n int) *anyGenerator {
		return generatorOf(func(y *anyYielder) (any, error) {
			for i := range n {
				if got := s.got(y.Yield(i)); got != nil {
					s.log("subgenerator received", got)
				}
			}
			return "sum of the subgenerator", nil
		})
	}
	fool := generatorOf(func(y *anyYielder) (any, error) {
		s.log("yield from returned:", s.got(greenlet.YieldFrom(y, counter(4))))
		return nil, nil
	})
	s.log(s.got(nextOf(fool)))
	s.log(s.got(nextOf(fool)))
	s.log(s.got(sendTo(fool, "hello")))
	for rest := range fool.All() {
		s.log(rest)
	}
}

// playGeneratorConsumer: a generator that is sent what it works on.
func playGeneratorConsumer(s *scene) {
	consumer := generatorOf(func(y *anyYielder) (any, error) {
		for {
			a, err := y.Yield(nil)
			if err != nil {
				return nil, err
			}
			s.log(a)
		}
	})
	s.got(nextOf(consumer))
	for i := range 5 {
		s.got(sendTo(consumer, i))
	}
	if consumer.Close() == nil {
		s.log("closed")
	}
}

// playProducerConsumer: the same, with an answer for each item.
func playProducerConsumer(s *scene) {
	c := generatorOf(func(y *anyYielder) (any, error) {
		r := ""
		for {
			n, err := y.Yield(r)
			if err != nil || n == nil {
				return nil, err
			}
			s.log(fmt.Sprintf("[CONSUMER] Consuming %v...", n))
			r = "200 OK"
		}
	})
	s.got(nextOf(c))
	for n := 1; n <= 5; n++ {
		s.log(fmt.Sprintf("[PRODUCER] Producing %v...", n))
		s.log(fmt.Sprintf("[PRODUCER] Consumer return: %v", s.got(sendTo(c, n))))
	}
	if err := c.Close(); err != nil {
		s.log(err)
	}
}
