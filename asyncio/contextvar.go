package asyncio

import "context"

// A ContextVar is a variable of which each context has a value of its own. It is
// a typed key of context.WithValue. Usually it is made once, as a global variable.
//
// Contexts do not change in Go, so to set a variable is to make a context, and it
// is set for those that are given that context:
//
//	Python                          here
//	var.get()                       v.Get(ctx)
//	var.set(x)                      ctx = v.With(ctx, x)
//	var.reset(token)                the context of before
//	a coroutine sets it for         it returns the context that it has made
//	its caller
//	copy_context().run(f)           f(ctx)
//
// A function sees the values of the context that it is given. A task has the values of
// the context with which it was created, whatever its creator derives afterwards.
// A callback is a function that has kept a context, that of its registration. An
// async generator has, in each step, the values of whoever calls (see AsyncGen).
// What ToThread runs has those of its caller; RunInExecutor passes none.
//
// Any goroutine may call its methods. Python: contextvars.ContextVar.
type ContextVar[T any] struct {
	name string
	def  T
}

// NewContextVar makes a variable that is def where it was not set. The name is for
// people; two variables of one name are two. Python: ContextVar(name, default=def).
func NewContextVar[T any](name string, def T) *ContextVar[T] { return &ContextVar[T]{name, def} }

// With returns a context that is ctx with the variable set to val. Python:
// ContextVar.set.
func (v *ContextVar[T]) With(ctx context.Context, val T) context.Context {
	return context.WithValue(ctx, v, setting[T]{val})
}

// Get returns the value in ctx, or the default. Python: ContextVar.get.
func (v *ContextVar[T]) Get(ctx context.Context) T {
	if val, ok := v.Lookup(ctx); ok {
		return val
	}
	return v.def
}

// Lookup returns the value in ctx, and whether it was set there. Python: var in
// context.
func (v *ContextVar[T]) Lookup(ctx context.Context) (T, bool) {
	s, ok := ctx.Value(v).(setting[T])
	return s.val, ok
}

// A setting is a value that was set: it may be a nil.
type setting[T any] struct{ val T }

// Name returns the name. Python: ContextVar.name.
func (v *ContextVar[T]) Name() string { return v.name }

// String names the variable, for contexts that are printed.
func (v *ContextVar[T]) String() string { return "ContextVar " + v.name }
