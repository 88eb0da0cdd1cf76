// Package greenlet lets functions stop in the middle and go on later, by
// explicit switches: many stacks, one of them running at a time.
//
//	package main
//
//	import (
//		"fmt"
//
//		"github.com/go-greenlet/greenlet"
//	)
//
//	func main() {
//		defer greenlet.Close()
//		main := greenlet.Current()
//		g := greenlet.New(func(v any) (any, error) {
//			fmt.Println("g starts with", v)
//			v, err := main.Switch("a question")
//			fmt.Println("g goes on with", v)
//			return "goodbye", err
//		})
//		fmt.Println(g.Switch("hello"))     // runs g up to its Switch
//		fmt.Println(g.Switch("an answer")) // g goes on where it waits
//	}
//
// It prints
//
//	g starts with hello
//	a question <nil>
//	g goes on with an answer
//	goodbye <nil>
//
// # The model
//
// A greenlet is a function with a stack of its own. It runs when somebody
// switches to it and waits when it switches away, in the middle of any call.
// A goroutine that uses greenlets has a tree of them. At the root is its main
// greenlet: the goroutine itself. Of a tree exactly one greenlet runs at a
// time, and only a Switch, a Throw, a Kill or an end passes control on. Nothing
// else does: no timer, no lock, no scheduler of ours.
// A Switch carries a value there, and returns the value of whoever switches
// back, which may be any greenlet of the tree.
// A greenlet that ends gives its result to its parent: the greenlet that made
// it, if nothing else was said.
//
// For pairs, of which one side always goes back to the other, there are typed
// faces: Coro, Generator, Pull and Push.
//
// # Rules
//
//   - Defer Close in every goroutine that uses greenlets. Go does not tell when
//     a goroutine ends: what it leaves suspended is ended late, or never.
//   - Look at the error of Switch. It is an error that was thrown at the caller,
//     the error that a child's body returned, or a refusal; after a refusal
//     nothing has happened.
//   - A body that receives Exit should return it. Kill ends a body that does
//     not: its stack is unwound, its deferred calls run, and recover does not
//     stop that.
//   - A panic in a body goes on in the parent, as a *PanicError with the stack
//     of its origin. A runtime.Goexit in a body goes on there too.
//   - A greenlet belongs to its tree. From another goroutine it can be asked for
//     its name and its state, and is otherwise refused with ErrForeign.
//   - A greenlet that blocks, in a channel, a mutex or a system call, blocks all
//     of its tree; other goroutines run on.
//   - A greenlet that is suspended and that nobody refers to is killed after a
//     cycle of the collector, if its own stack does not refer to it.
//
// # Costs
//
// On linux, on amd64 and arm64, with a Go release that the package knows, a
// switch is a few nanoseconds of assembly: no allocation, no lock, no atomic
// operation, no trip through the scheduler. A value that fits an interface
// without an allocation, such as a pointer, goes over without one. Switch is
// inlined; the fewer calls between it and the code that uses it, the better it
// is predicted.
//
// A suspended greenlet costs what a suspended goroutine costs, something below
// 3 KB. The goroutine of a greenlet that has ended is used again, so starting
// the next one costs little more than a switch. Package stack counts, limits
// and trims what is kept.
//
// Everywhere else a generic switch does the same, by what iter.Pull is made of
// where the runtime's layout is known, in about 0.1 microseconds, else by
// channels, in about 0.3; with the tag purego it takes microseconds, because a
// goroutine then learns its own number only from what runtime.Stack prints.
//
// # Safety
//
// A greenlet's stack is a goroutine's stack, so growth, precise collection,
// tracebacks, deferred calls, panics and profiles work as ever. What the switch
// must know of the runtime is in one place, in tables generated for each Go
// release, and is checked against the running program before main starts. If
// anything is in doubt, the generic switch is used. Backend tells which one
// runs, and why; GREENLET_BACKEND=generic in the environment asks for the
// generic one. No linker flag is needed.
//
// What cannot be hidden, each point with the way out, is on the page
// docs/caveats.md of the repository; every misuse and its outcome is in
// docs/bad-input.md; the reasons for it all are in RATIONALE.md.
package greenlet
