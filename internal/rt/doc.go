// Package rt is the only package of this module that knows the Go runtime:
// where a goroutine's fields lie, how a goroutine is parked and made runnable,
// and how to tell which goroutine runs.
//
// # What is borrowed
//
//	symbol                    kind       why                               Go          if it goes
//	runtime.gopark            linkname   park a goroutine by the scheduler  1.25..1.27  generic switch
//	runtime.goready           linkname   make a parked goroutine runnable   1.25..1.27  generic switch
//	runtime.writeBarrier      assembly   is the collector marking?          1.25..1.27  generic switch
//	runtime.iscgo, tls_g      assembly   arm64 keeps g in TLS under cgo     1.25..1.27  generic switch
//	fields of runtime.g, m    offsets    layout_go1NN_ARCH.go, generated    1.25..1.27  generic switch
//
// Nothing else of the runtime is referenced, so no linker flag is ever needed.
//
// # What a new Go release must be checked for
//
// Read the changes of runtime/{coro,proc,preempt,stack,mgcmark,mprof,trace}.go
// and of asm_{amd64,arm64}.s, with these questions: who else changes a
// goroutine's status (the callers of suspendG)? what must coroswitch_m now do
// that our switch does not? is gcscandone still set only once a stack is
// scanned? does the tracer still ask only whether a word of statusTraced is 0,
// and count up seq whenever a goroutine starts to run (see trace.go)? For the
// command greenlet: has the table of functions (symtab.go) or of inlined calls
// (symtabinl.go) another form, or a weak pointer? Then run
// layoutgen, widen the build bounds, run "make hostile".
//
// # Three levels
//
// With other compilers and with the tag purego nothing here touches the runtime
// and goroutines are told apart by the number that runtime.Stack prints. Where no
// table fits (other architectures, releases not known yet) the place of the number
// is looked for (number.go). Where a table fits and the self-check passes, all of
// it can be read from the goroutine.
// Where, besides, the assembly is built in (see SwitchBuilt), goroutines are
// parked and resumed by hand.
package rt
