package rules

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/types/typeutil"
)

// A unit is the body of a function or of a literal, without the literals in it.
type unit struct {
	fn   *types.Func  // of a function
	lit  *ast.FuncLit // of a literal
	typ  *ast.FuncType
	body *ast.BlockStmt

	place place  // where it is known to run
	by    string // what runs it there

	sites []*site // what it does, in the order of the text
	off   []span  // where it runs only if it is not on the loop

	onLoop bool
	why    string

	flow *flow // made when it is asked for
}

func (u *unit) node() ast.Node {
	if u.lit != nil {
		return u.lit
	}
	return u.body
}

func (u *unit) name() string {
	if u.fn != nil {
		return u.fn.Name()
	}
	return "a function"
}

// A site is a place in a unit where it blocks, waits or calls.
type site struct {
	pos token.Pos // for the report
	at  token.Pos // of a statement or an expression, for the way there

	blocker        // if it blocks
	what    string // what does

	fn   *types.Func   // if it is a call
	call *ast.CallExpr // the same
	unit *unit         // if that, or a literal that runs in place, is of this package

	needs string // what it calls that needs a task
	waits bool   // a task may wait here
}

// A span is a part of a file.
type span struct{ from, to token.Pos }

func (s span) has(pos token.Pos) bool { return s.from <= pos && pos < s.to }

// findUnits makes the units of the package.
func (c *checker) findUnits() {
	for _, f := range c.Files {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if fn, ok := c.TypesInfo.Defs[n.Name].(*types.Func); ok && n.Body != nil {
					u := &unit{fn: fn, typ: n.Type, body: n.Body}
					c.byFunc[fn] = u
					c.units = append(c.units, u)
				}
			case *ast.FuncLit:
				u := &unit{lit: n, typ: n.Type, body: n.Body}
				c.byLit[n] = u
				c.units = append(c.units, u)
			}
			return true
		})
	}
}

// own visits what is in n, literals of functions excepted.
func own(n ast.Node, visit func(ast.Node) bool) {
	ast.Inspect(n, func(x ast.Node) bool {
		if lit, ok := x.(*ast.FuncLit); ok && x != n {
			visit(lit)
			return false
		}
		return x == nil || visit(x)
	})
}

// callee is the function that call calls, also if that is a method of an interface.
func (c *checker) callee(call *ast.CallExpr) *types.Func {
	f, _ := typeutil.Callee(c.TypesInfo, call).(*types.Func)
	if f == nil {
		return nil
	}
	return f.Origin()
}

// function finds out which function the value e is: of another package, or a unit.
func (c *checker) function(e ast.Expr) (*types.Func, *unit) {
	switch x := c.vars.value(e).(type) {
	case *ast.FuncLit:
		return nil, c.byLit[x]
	case *ast.CallExpr: // a conversion, or asyncio.Func
		conversion := c.TypesInfo.Types[x.Fun].IsType() || nameOf(c.callee(x)) == "asyncio.Func"
		if conversion && len(x.Args) == 1 {
			return c.function(x.Args[0])
		}
	case *ast.IndexExpr:
		return c.function(x.X)
	case *ast.Ident:
		return c.named(c.TypesInfo.Uses[x])
	case *ast.SelectorExpr:
		return c.named(c.TypesInfo.Uses[x.Sel])
	}
	return nil, nil
}

func (c *checker) named(o types.Object) (*types.Func, *unit) {
	f, ok := o.(*types.Func)
	if !ok {
		return nil, nil
	}
	if u := c.byFunc[f.Origin()]; u != nil {
		return nil, u
	}
	return f.Origin(), nil
}

// give notes that e, if it is a function, is run at place.
func (c *checker) give(e ast.Expr, at place, by string) {
	fn, u := c.function(e)
	if fn == nil && u == nil {
		return
	}
	c.given = append(c.given, given{e.Pos(), fn, u, at, by})
	if u == nil {
		return
	}
	// What is a goroutine here may be called in a task elsewhere, if it has a name.
	if u.place == unknown && (at != away || u.lit != nil) {
		u.place, u.by = at, by
	}
}
