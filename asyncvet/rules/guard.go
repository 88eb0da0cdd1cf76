package rules

import (
	"go/ast"
	"go/token"
)

// findGuards finds the parts of u that run only where no task does, because they ask
// for it: if asyncio.CurrentTask(ctx) == nil, and what comes after a branch that is
// left if it is not nil.
func (c *checker) findGuards(u *unit) {
	off := func(n ast.Node) { u.off = append(u.off, span{n.Pos(), n.End()}) }
	own(u.body, func(n ast.Node) bool {
		var list []ast.Stmt
		switch n := n.(type) {
		case *ast.BlockStmt:
			list = n.List
		case *ast.CaseClause:
			list = n.Body
		case *ast.CommClause:
			list = n.Body
		}
		for i, stmt := range list {
			branch, ok := stmt.(*ast.IfStmt)
			if !ok {
				continue
			}
			switch c.asksForTask(branch.Cond, 2) {
			case noTask:
				off(branch.Body)
			case aTask:
				if branch.Else != nil {
					off(branch.Else)
				}
				if leaves(branch.Body) {
					for _, after := range list[i+1:] {
						off(after)
					}
				}
			}
		}
		return true
	})
}

func (u *unit) isOff(pos token.Pos) bool {
	for _, s := range u.off {
		if s.has(pos) {
			return true
		}
	}
	return false
}

// answer is what a condition says if it holds.
type answer int

const (
	nothing answer = iota
	aTask          // and if it does not hold there is none
	noTask
)

// asksForTask finds out what a condition says about the caller. It looks into
// functions of the package that return nothing else, so many deep.
func (c *checker) asksForTask(cond ast.Expr, deep int) answer {
	switch x := ast.Unparen(cond).(type) {
	case *ast.UnaryExpr:
		if x.Op == token.NOT {
			switch c.asksForTask(x.X, deep) {
			case aTask:
				return noTask
			case noTask:
				return aTask
			}
		}
	case *ast.BinaryExpr:
		switch x.Op {
		case token.LAND: // a task and more says nothing if it does not hold
			for _, side := range []ast.Expr{x.X, x.Y} {
				if c.asksForTask(side, deep) == noTask {
					return noTask
				}
			}
		case token.EQL, token.NEQ:
			if !isNil(x.Y) || !c.isCurrentTask(x.X) {
				break
			}
			if x.Op == token.EQL {
				return noTask
			}
			return aTask
		}
	case *ast.CallExpr:
		u := c.byFunc[c.callee(x)]
		if u == nil || deep == 0 || len(u.body.List) != 1 {
			break
		}
		if r, ok := u.body.List[0].(*ast.ReturnStmt); ok && len(r.Results) == 1 {
			return c.asksForTask(r.Results[0], deep-1)
		}
	}
	return nothing
}

// isCurrentTask reports whether e is the result of CurrentTask.
func (c *checker) isCurrentTask(e ast.Expr) bool {
	call, ok := c.vars.value(e).(*ast.CallExpr)
	return ok && nameOf(c.callee(call)) == "asyncio.CurrentTask"
}

func isNil(e ast.Expr) bool {
	id, ok := ast.Unparen(e).(*ast.Ident)
	return ok && id.Name == "nil"
}

// leaves reports whether nothing goes on after block.
func leaves(block *ast.BlockStmt) bool {
	if len(block.List) == 0 {
		return false
	}
	switch last := block.List[len(block.List)-1].(type) {
	case *ast.ReturnStmt:
		return true
	case *ast.BranchStmt:
		return last.Tok != token.FALLTHROUGH
	case *ast.ExprStmt:
		if call, ok := last.X.(*ast.CallExpr); ok {
			id, ok := call.Fun.(*ast.Ident)
			return ok && id.Name == "panic"
		}
	}
	return false
}
