// Cshared is a shared library for C programs that uses greenlets: on the
// threads that C calls from, on goroutines of its own, and in calls that go
// from Go to C and back to Go. tools/hostile.sh builds it and lets
// caller/main.c call it from several threads.
package main

import "C"

import (
	"fmt"
	"os"
	"runtime"
	"sync"

	"github.com/go-greenlet/greenlet"
)

func main() {}

// Exercise runs trees on the calling thread and beside it. It returns how many
// switches went wrong.
//
//export Exercise
func Exercise(rounds C.int) C.int {
	defer greenlet.Close()
	var f faults
	var beside sync.WaitGroup
	beside.Go(func() {
		defer greenlet.Close()
		f.pingPong(int(rounds) * 50)
	})
	for range rounds {
		f.pingPong(50)
		f.throughC()
		f.dies()
		runtime.GC()
	}
	beside.Wait()
	return C.int(f.n)
}

// Backend prints which switch is in use.
//
//export Backend
func Backend() { fmt.Println(greenlet.Backend()) }

type faults struct {
	mu sync.Mutex
	n  int
}

func (f *faults) check(ok bool, what string) {
	if !ok {
		fmt.Fprintln(os.Stderr, "wrong:", what)
		f.mu.Lock()
		f.n++
		f.mu.Unlock()
	}
}

type box struct{ n int }

// pingPong sends fresh objects there and back.
func (f *faults) pingPong(n int) {
	main := greenlet.Current()
	g := greenlet.New(func(v any) (any, error) {
		for {
			v, _ = main.Switch(&box{v.(*box).n + 1})
		}
	})
	for i := range n {
		v, err := g.Switch(&box{i})
		f.check(err == nil && v.(*box).n == i+1, "a value")
	}
	f.check(g.Kill() == nil, "a kill")
}

// throughC has greenlets call C, and C call Go, and that switch: a greenlet is
// left while C waits in the middle of its stack.
func (f *faults) throughC() {
	main := greenlet.Current()
	inC := func(n int) *greenlet.Greenlet {
		return greenlet.New(func(any) (any, error) {
			return thereAndBack(func() int {
				v, err := main.Switch(n)
				f.check(err == nil && v == n+1, "a value that came while C waits")
				return n
			}), nil
		})
	}
	a, b := inC(10), inC(20)
	va, _ := a.Switch(nil)
	vb, _ := b.Switch(nil)
	f.check(va == 10 && vb == 20, "a value out of a call from C")
	vb, _ = b.Switch(21)
	va, _ = a.Switch(11)
	f.check(va == 10 && vb == 20, "a result that came through C")

	c := inC(30)
	c.Switch(nil)
	f.check(c.Kill() == nil && c.Dead(), "a kill through C")

	// The same with the goroutine that C has called in the first place.
	n := thereAndBack(func() int {
		v, _ := greenlet.New(func(v any) (any, error) { return v, nil }).Switch(5)
		return v.(int)
	})
	f.check(n == 5, "a greenlet in a call from C")
}

// dies ends greenlets in all ways.
func (f *faults) dies() {
	main := greenlet.Current()
	v, err := greenlet.New(func(v any) (any, error) { return v, nil }).Switch(1)
	f.check(v == 1 && err == nil, "a result")
	func() {
		defer func() {
			e, ok := recover().(*greenlet.PanicError)
			f.check(ok && e.Value == "out", "a panic")
		}()
		greenlet.New(func(any) (any, error) { panic("out") }).Switch(nil)
	}()
	g := greenlet.New(func(any) (any, error) { return main.Switch(nil) })
	g.Switch(nil)
	v, err = g.Throw(nil)
	f.check(v == greenlet.Exit && err == nil, "an exit")
}
