package rules

import (
	"go/ast"
	"go/types"
	"slices"
)

// neverBegin make what runs only when it is awaited.
var neverBegin = []string{
	"asyncio.NewCoroutine", "asyncio.Limit", "asyncio.Func", "asyncio.AsCompleted", "asyncio.AsCompletedTasks", "asyncio.AIter",
	"asyncio.NewAsyncGen", "asyncio.Queue.All", "asyncio.StreamReader.Lines", "asyncio.AsyncGen.All", "asyncio.Closing", "asyncio.NewContextManager",
}

// beginTasks make tasks of which nobody but their owner hears.
var beginTasks = []string{"asyncio.Go", "asyncio.CreateTask", "asyncio.NewTask", "asyncio.EnsureFuture", "asyncio.Gather", "asyncio.GatherOutcomes"}

// judgeTasks reports tasks that u drops.
func (c *checker) judgeTasks(u *unit) {
	own(u.body, func(n ast.Node) bool {
		s, ok := n.(*ast.ExprStmt)
		if !ok {
			return true
		}
		call, ok := s.X.(*ast.CallExpr)
		if !ok {
			return true
		}
		f := c.callee(call)
		switch name := nameOf(f); {
		case slices.Contains(neverBegin, name):
			c.report(call.Pos(), "GL203", "what %s returns is dropped, so nothing of it ever runs", short(f))
		case slices.Contains(beginTasks, name) && !c.neverFails(call):
			c.report(call.Pos(), "GL203", "the task is dropped, and with it its error: keep it and await it, or use a TaskGroup")
		}
		return true
	})
}

// neverFails reports whether each function that call is given returns no errors but
// those that say that it has been ended.
func (c *checker) neverFails(call *ast.CallExpr) bool {
	found := false
	for _, arg := range call.Args {
		fn, u := c.function(arg)
		if fn != nil {
			return false
		}
		if u == nil {
			continue
		}
		found = true
		if !c.onlyEnds(u, 3) {
			return false
		}
	}
	return found
}

// onlyEnds reports whether the errors that u returns are nil, or those of waits that
// fail only when they are ended.
func (c *checker) onlyEnds(u *unit, deep int) bool {
	results := u.typ.Results
	if results == nil || deep == 0 {
		return results == nil
	}
	only := true
	own(u.body, func(n ast.Node) bool {
		r, ok := n.(*ast.ReturnStmt)
		if !ok {
			return true
		}
		if len(r.Results) == 0 {
			only = false // a named result
			return true
		}
		only = only && c.isEnd(u, r.Results[len(r.Results)-1], deep)
		return true
	})
	return only
}

// isEnd reports whether e is nil or the error of a wait that fails only by an end.
func (c *checker) isEnd(u *unit, e ast.Expr, deep int) bool {
	switch x := ast.Unparen(e).(type) {
	case *ast.Ident:
		if isNil(x) {
			return true
		}
		o, ok := c.TypesInfo.Uses[x].(*types.Var)
		if !ok || o.Pos() < u.body.Pos() || o.Pos() > u.body.End() {
			return false
		}
		return c.alwaysEnd(u, o, deep)
	case *ast.CallExpr:
		f := c.callee(x)
		if slices.Contains(onlyEnds, nameOf(f)) || nameOf(f) == "context.Context.Err" {
			return true
		}
		to := c.byFunc[f]
		return to != nil && c.onlyEnds(to, deep-1)
	}
	return false
}

// alwaysEnd reports whether all that o is assigned is such an error.
func (c *checker) alwaysEnd(u *unit, o *types.Var, deep int) bool {
	always := false
	ok := true
	ast.Inspect(u.body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for i, l := range n.Lhs {
				if c.vars.object(l) == o {
					always = true
					ok = ok && c.isEnd(u, n.Rhs[min(i, len(n.Rhs)-1)], deep)
				}
			}
		case *ast.ValueSpec:
			for i, name := range n.Names {
				if c.TypesInfo.Defs[name] == o && len(n.Values) > 0 {
					always = true
					ok = ok && c.isEnd(u, n.Values[min(i, len(n.Values)-1)], deep)
				}
			}
		case *ast.UnaryExpr:
			ok = ok && c.vars.object(n.X) != o
		}
		return true
	})
	return always && ok
}
