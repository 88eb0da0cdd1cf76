package rules

import (
	"go/ast"
	"go/types"
	"slices"
)

// withOwnContext are those whose function has a context that is not the one of who
// gives it: a task's own, or one that is about to end earlier.
var withOwnContext = []string{
	"asyncio.Go", "asyncio.CreateTask", "asyncio.NewTask", "asyncio.GroupTask", "asyncio.TaskGroup.Go", "asyncio.RunTaskGroup", "asyncio.WithTimeout",
	"asyncio.WithTimeoutAt", "asyncio.Worker.Go", "asyncio.RunCoroutineThreadsafe", "asyncio.StartServer", "asyncio.StartUnixServer",
	"asyncio.CleanUp", "asyncio.Run", "asyncio.RunFunc", "asyncio.RunMain", "asyncio.Gather",
}

// judgeContexts reports waits of u with a context that is not the one it should have.
func (c *checker) judgeContexts(u *unit) {
	for _, s := range u.sites {
		if s.call == nil || len(s.call.Args) == 0 || !mustBeTask(s.fn) {
			continue
		}
		first := ast.Unparen(s.call.Args[0])
		if made, ok := first.(*ast.CallExpr); ok {
			if name := nameOf(c.callee(made)); (name == "context.Background" || name == "context.TODO") && u.place != away {
				c.report(first.Pos(), "GL206", "%s leads to no loop, so %s fails: pass on the ctx that the function has been given", name+"()", s.what)
			}
		}
		if id, ok := first.(*ast.Ident); ok && c.isOfAnother(u, id) {
			c.report(id.Pos(), "GL202", "%s is the context of the function around: the function that %s runs has one of its own", id.Name, u.by)
		}
	}
}

// isOfAnother reports whether id is a ctx that a function around u was given,
// though u is given one.
func (c *checker) isOfAnother(u *unit, id *ast.Ident) bool {
	if u.lit == nil || u.place != task || !slices.Contains(withOwnContext, u.by) {
		return false
	}
	params := u.fnType(c).Params()
	if params.Len() == 0 || !isContext(params.At(0).Type()) {
		return false
	}
	o, ok := c.TypesInfo.Uses[id].(*types.Var)
	if !ok || u.lit.Pos() <= o.Pos() && o.Pos() < u.lit.End() {
		return false
	}
	return c.isParameter(o)
}

func (u *unit) fnType(c *checker) *types.Signature {
	return c.TypesInfo.TypeOf(u.lit).(*types.Signature)
}

// isParameter reports whether o is a function's parameter and is never assigned.
func (c *checker) isParameter(o *types.Var) bool {
	if c.vars.times[o] != 2 {
		return false
	}
	for _, u := range c.units {
		for _, field := range u.typ.Params.List {
			for _, name := range field.Names {
				if c.TypesInfo.Defs[name] == o {
					return true
				}
			}
		}
	}
	return false
}
