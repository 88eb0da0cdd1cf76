package rules

import (
	"go/ast"
	"go/token"
	"go/types"
	"regexp"
	"strings"
)

// judgeErrors reports errors of waits that u drops, goes on after, or compares wrong.
func (c *checker) judgeErrors(u *unit) {
	loops := 0
	var visit func(n ast.Node)
	visit = func(n ast.Node) {
		own(n, func(x ast.Node) bool {
			switch x := x.(type) {
			case *ast.ForStmt:
				if x.Cond == nil {
					c.judgeSwallowed(u, x)
				}
				loops++
				visit(x.Body)
				loops--
				return false
			case *ast.RangeStmt:
				loops++
				visit(x.Body)
				loops--
				return false
			case *ast.ExprStmt:
				if call, ok := x.X.(*ast.CallExpr); ok {
					c.judgeDropped(u, call, loops > 0)
				}
			case *ast.BinaryExpr:
				if x.Op == token.EQL || x.Op == token.NEQ {
					if c.isErrCancelled(x.Y) && c.isResult(x.X) || c.isErrCancelled(x.X) && c.isResult(x.Y) {
						c.report(x.OpPos, "GL205", "%s with ErrCancelled is never true of a cancel: use errors.Is", comparison(x.Op))
					}
				}
			case *ast.SwitchStmt:
				if x.Tag != nil && isError(c.TypesInfo.TypeOf(x.Tag)) {
					c.judgeCases(x)
				}
			}
			return true
		})
	}
	visit(u.body)
}

// isResult reports whether e may be what a wait has returned: a variable or a call. A
// field may be one of a table that names errors.
func (c *checker) isResult(e ast.Expr) bool {
	switch ast.Unparen(e).(type) {
	case *ast.Ident, *ast.CallExpr:
		return true
	}
	return false
}

func comparison(op token.Token) string {
	if op == token.NEQ {
		return "the opposite of ==" // != is always true
	}
	return "=="
}

func (c *checker) judgeCases(s *ast.SwitchStmt) {
	for _, clause := range s.Body.List {
		for _, e := range clause.(*ast.CaseClause).List {
			if c.isErrCancelled(e) {
				c.report(e.Pos(), "GL205", "a case of ErrCancelled compares by ==, which is never true of a cancel: use errors.Is")
			}
		}
	}
}

func (c *checker) isErrCancelled(e ast.Expr) bool {
	o := c.vars.object(e)
	return o != nil && o.Pkg() != nil && o.Pkg().Path() == library+"/asyncio" && o.Name() == "ErrCancelled"
}

// judgeDropped looks at a call that is a statement.
func (c *checker) judgeDropped(u *unit, call *ast.CallExpr, inLoop bool) {
	f := c.callee(call)
	if !mustBeTask(f) || u.isOff(call.Pos()) || u.place == away || u.place == callback {
		return
	}
	results := f.Signature().Results()
	if !isError(results.At(results.Len() - 1).Type()) {
		return
	}
	switch {
	case f.Name() == "Acquire":
		c.report(call.Pos(), "GL201", "the error of %s is dropped: after a cancel the task goes on without it; return the error, or use Do", short(f))
	case inLoop, strict:
		c.report(call.Pos(), "GL201", "the error of %s is dropped, and with it a cancel: return it", short(f))
	}
}

// judgeSwallowed looks in an endless loop for
//
//	if err != nil { ... }
//
// of a wait, that goes on whatever the error is.
func (c *checker) judgeSwallowed(u *unit, loop *ast.ForStmt) {
	var wait *types.Func
	var errVar types.Object
	note := func(s ast.Stmt) {
		a, ok := s.(*ast.AssignStmt)
		if !ok || len(a.Rhs) != 1 {
			return
		}
		call, ok := ast.Unparen(a.Rhs[0]).(*ast.CallExpr)
		if !ok {
			return
		}
		wait, errVar = nil, nil
		if f := c.callee(call); mustBeTask(f) && !u.isOff(call.Pos()) {
			wait, errVar = f, c.vars.object(a.Lhs[len(a.Lhs)-1])
		}
	}
	for _, s := range loop.Body.List {
		note(s)
		branch, ok := s.(*ast.IfStmt)
		if !ok {
			continue
		}
		if branch.Init != nil {
			note(branch.Init)
		}
		cond, ok := branch.Cond.(*ast.BinaryExpr)
		if !ok || wait == nil || cond.Op != token.NEQ || !isNil(cond.Y) || c.vars.object(cond.X) != errVar || errVar == nil {
			continue
		}
		if branch.Else == nil && c.goesOn(branch.Body) {
			c.report(branch.Pos(), "GL204", "the loop goes on after any error of %s, a cancel among them, so the task cannot be ended: return, unless it is one that you know", short(wait))
		}
	}
}

// mayEnd are names of functions that might end something.
var mayEnd = regexp.MustCompile(`(?i)fatal|exit|panic|fail|must|abort|stop|cancel|close|quit|die|end|handle|break|return`)

// goesOn reports whether it is certain that the loop goes on after block, and that
// block does not look at the error but to tell of it.
func (c *checker) goesOn(block *ast.BlockStmt) bool {
	goes := true
	own(block, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ReturnStmt, *ast.FuncLit, *ast.AssignStmt, *ast.IfStmt, *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.SelectStmt:
			goes = false
		case *ast.BranchStmt:
			goes = goes && n.Tok == token.CONTINUE && n.Label == nil
		case *ast.CallExpr:
			if c.TypesInfo.Types[n.Fun].IsType() {
				break
			}
			f := c.callee(n)
			if f == nil {
				goes = false
				break
			}
			telling := strings.HasPrefix(nameOf(f), "log") || strings.HasPrefix(nameOf(f), "fmt.") || nameOf(f) == "error.Error"
			goes = goes && c.mayReturn(n) && (telling || !mayEnd.MatchString(f.Name()))
		}
		return goes
	})
	return goes
}
