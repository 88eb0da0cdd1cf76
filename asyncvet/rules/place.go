package rules

import (
	"go/ast"
	"go/types"
	"slices"
)

// judgePlace reports what u does in the wrong place: waits in no task, and what
// belongs to a loop on another goroutine.
func (c *checker) judgePlace(u *unit) {
	if u.place == task {
		c.judgeVirtualTime(u)
	}
	if u.place != callback && u.place != away || u.lit == nil && u.place == away {
		return
	}
	if u.place == away && c.hasLoop(u.lit) {
		return
	}
	at := "a callback of " + u.by
	if u.place == away {
		at = u.by + " runs this on another goroutine"
	} else {
		at += " is in no task"
	}
	for _, s := range u.sites {
		switch {
		case s.needs != "" && s.fn != nil && u.place == callback && inAsyncio(s.fn):
			c.report(s.pos, "GL130", "%s waits, and %s: start a task by asyncio.Go", s.what, at)
		case s.needs != "" && s.fn != nil && inAsyncio(s.fn):
			c.report(s.pos, "GL130", "%s waits, and %s: use a task, or RunCoroutineThreadsafe", s.what, at)
		case s.needs != "" && s.fn != nil:
			c.report(s.pos, "GL130", "%s waits as a task, and %s: use a task", short(s.fn), at)
		case u.place == away && slices.Contains(mustBeOnLoop, nameOf(s.fn)):
			c.report(s.pos, "GL130", "%s panics: %s; use RunCoroutineThreadsafe", s.what, at)
		case u.place == away && slices.Contains(ofLoop, nameOf(s.fn)) && c.fromOutside(u, s.call):
			c.report(s.pos, "GL131", "%s is for tasks and callbacks of its loop, and %s: use CallSoonThreadsafe", s.what, at)
		}
	}
}

// hasLoop reports whether a literal makes a loop of its own, or is one's goroutine.
func (c *checker) hasLoop(lit *ast.FuncLit) (has bool) {
	ast.Inspect(lit, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			has = has || slices.Contains(makesLoop, nameOf(c.callee(call)))
		}
		return !has
	})
	return has
}

// fromOutside reports whether the receiver of a method is a variable that is
// declared outside of u.
func (c *checker) fromOutside(u *unit, call *ast.CallExpr) bool {
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok {
		return false
	}
	e := sel.X
	for {
		switch x := ast.Unparen(e).(type) {
		case *ast.SelectorExpr:
			e = x.X
			continue
		case *ast.IndexExpr:
			e = x.X
			continue
		case *ast.Ident:
			o, ok := c.TypesInfo.Uses[x].(*types.Var)
			return ok && (o.Pos() < u.lit.Pos() || o.Pos() >= u.lit.End())
		}
		return false
	}
}

// judgeGivenPlace reports named functions that wait as tasks, run in none.
func (c *checker) judgeGivenPlace() {
	for _, g := range c.given {
		if g.place != callback && g.place != away {
			continue
		}
		needs, name := "", ""
		switch {
		case g.unit != nil && g.unit.fn != nil && !c.forBoth(g.unit):
			needs, name = g.unit.needs(), g.unit.fn.Name()
		case g.fn != nil && mustBeTask(g.fn):
			needs, name = short(g.fn), short(g.fn)
		case g.fn != nil:
			if n := new(needsTask); c.ImportObjectFact(g.fn, n) {
				needs, name = n.What, short(g.fn)
			}
		}
		if needs == "" {
			continue
		}
		if g.place == callback {
			c.report(g.pos, "GL130", "%s calls %s, which waits, and a callback of %s is in no task: start a task by asyncio.Go", name, needs, g.by)
		} else {
			c.report(g.pos, "GL130", "%s calls %s, which only a task may, and %s runs it on another goroutine: use asyncio.Go", name, needs, g.by)
		}
	}
}

// judgeVirtualTime looks at the function that a test runs on virtual time.
func (c *checker) judgeVirtualTime(u *unit) {
	if u.lit == nil || !c.virtual[u.lit] {
		return
	}
	var calls []*ast.CallExpr
	held := false // the test sees to what is outside itself
	ast.Inspect(u.lit, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		switch name := nameOf(c.callee(call)); {
		case name == "asyncio.Loop.Hold":
			held = true
		case slices.Contains(realTime, name):
			calls = append(calls, call)
		}
		return true
	})
	for _, call := range calls {
		if held {
			return
		}
		name := short(c.callee(call))
		instead := "asyncio.WithTimeout"
		if name == "time.AfterFunc" || name == "time.NewTimer" || name == "time.NewTicker" || name == "time.Tick" || name == "time.After" {
			instead = "asyncio.Sleep or CallLater"
		}
		c.report(call.Pos(), "GL132", "%s goes by the system's clock, and %s by a virtual one: use %s", name, u.by, instead)
	}
}

// findVirtual notes the literals that run on virtual time.
func (c *checker) findVirtual(call *ast.CallExpr) {
	if !slices.Contains(onVirtualTime, nameOf(c.callee(call))) || call.Ellipsis.IsValid() {
		return
	}
	for _, arg := range call.Args {
		if option, ok := c.vars.value(arg).(*ast.CallExpr); ok && nameOf(c.callee(option)) == "asyncio/asynciotest.WithRealTime" {
			return
		}
	}
	for _, arg := range call.Args {
		if _, u := c.function(arg); u != nil && u.lit != nil {
			c.virtual[u.lit] = true
		}
	}
}
