package rules

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// judgeLoops reports loops of u, which is on the loop, that never wait, or wait only
// to look again; and timeouts of functions that do not wait.
func (c *checker) judgeLoops(u *unit) {
	own(u.body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ForStmt:
			if u.isOff(n.Pos()) {
				break
			}
			switch {
			case n.Cond == nil && c.neverWaits(n.Body, 3) && !c.ends(n):
				c.report(n.Pos(), "GL120", "an endless loop without a wait: nothing else runs; call asyncio.Sleep(ctx, 0) now and then")
			case n.Cond != nil && n.Post == nil && c.spins(n):
				c.report(n.Pos(), "GL120", "a loop that looks at %s and does not wait: nothing can change it; use an asyncio.Event", types.ExprString(n.Cond))
			case n.Cond != nil && n.Init == nil && n.Post == nil && c.onlySleeps(n.Body) && c.isState(n.Cond):
				c.report(n.Pos(), "GL121", "a loop that only sleeps until its condition holds: use an asyncio.Event or Condition")
			}
		case *ast.CallExpr:
			name := nameOf(c.callee(n))
			if (name == "asyncio.WithTimeout" || name == "asyncio.WithTimeoutAt") && len(n.Args) == 3 && !u.isOff(n.Pos()) {
				if _, f := c.function(n.Args[2]); f != nil && c.neverWaits(f.body, 3) {
					c.report(n.Pos(), "GL122", "a timeout of a function that does not wait ends nothing")
				}
			}
		}
		return true
	})
}

// pure are packages whose functions do not wait, and take no functions that might.
var pure = []string{"strings", "strconv", "math", "math/bits", "math/rand", "math/rand/v2", "bytes", "unicode", "unicode/utf8", "errors", "sync/atomic", "time", "runtime", "path", "cmp"}

// pureFuncs do not wait either.
var pureFuncs = []string{"fmt.Print", "fmt.Println", "fmt.Printf", "fmt.Sprint", "fmt.Sprintf", "fmt.Sprintln", "fmt.Errorf"}

// neverWaits reports whether it is certain that n does not wait, does not pass control
// on in another way and does not end the goroutine. It follows calls so deep.
func (c *checker) neverWaits(n ast.Node, deep int) bool {
	sure := true
	own(n, func(x ast.Node) bool {
		switch x := x.(type) {
		case *ast.FuncLit, *ast.SelectStmt, *ast.SendStmt, *ast.DeferStmt, *ast.GoStmt:
			sure = false
		case *ast.UnaryExpr:
			sure = sure && x.Op != token.ARROW
		case *ast.RangeStmt:
			switch c.TypesInfo.TypeOf(x.X).Underlying().(type) {
			case *types.Chan, *types.Signature:
				sure = false
			}
		case *ast.CallExpr:
			sure = sure && c.callNeverWaits(x, deep)
		}
		return sure
	})
	return sure
}

func (c *checker) callNeverWaits(call *ast.CallExpr, deep int) bool {
	if c.TypesInfo.Types[call.Fun].IsType() {
		return true
	}
	if c.TypesInfo.Types[call.Fun].IsBuiltin() {
		return !isBuiltin(c.TypesInfo, call, "panic")
	}
	f := c.callee(call)
	if f == nil || f.Pkg() == nil {
		return false
	}
	if u := c.byFunc[f]; u != nil {
		return deep > 0 && c.neverWaits(u.body, deep-1)
	}
	name := nameOf(f)
	if name == "runtime.Goexit" || name == "time.Sleep" { // the one ends, the other is GL101
		return false
	}
	return slices.Contains(pure, f.Pkg().Path()) || slices.Contains(pureFuncs, name)
}

// ends reports whether there is a way out of the loop.
func (c *checker) ends(loop *ast.ForStmt) (ends bool) {
	own(loop.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ReturnStmt:
			ends = true
		case *ast.BranchStmt:
			ends = ends || n.Tok == token.BREAK || n.Tok == token.GOTO || n.Tok == token.CONTINUE && n.Label != nil
		}
		return true
	})
	return ends
}

// spins reports whether a loop does nothing until somebody else makes its condition
// false.
func (c *checker) spins(loop *ast.ForStmt) bool {
	for _, s := range loop.Body.List {
		e, ok := s.(*ast.ExprStmt)
		if !ok {
			return false
		}
		call, ok := e.X.(*ast.CallExpr)
		if !ok || nameOf(c.callee(call)) != "runtime.Gosched" {
			return false
		}
	}
	return c.isState(loop.Cond)
}

// stateOf are methods that tell the state of what a task could wait for.
var stateOf = []string{".Done", ".Cancelled", ".IsSet", ".Locked", ".Empty", ".Full", ".QSize", ".IsServing", ".IsClosing", ".Value", ".Unfinished"}

// isState reports whether a condition is about variables and what package asyncio
// tells, so that who changes it can tell; not about time, or the world outside.
func (c *checker) isState(cond ast.Expr) bool {
	state := true
	ast.Inspect(cond, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if isBuiltin(c.TypesInfo, call, "len") {
			return true
		}
		f := c.callee(call)
		name := nameOf(f)
		if strings.HasPrefix(name, "sync/atomic.") && strings.HasSuffix(name, ".Load") {
			return true
		}
		state = state && inAsyncio(f) && slices.ContainsFunc(stateOf, func(s string) bool { return strings.HasSuffix(name, s) })
		return true
	})
	return state
}

// onlySleeps reports whether all that a body does is asyncio.Sleep, whatever becomes
// of its error.
func (c *checker) onlySleeps(body *ast.BlockStmt) bool {
	if len(body.List) == 0 || len(body.List) > 2 {
		return false
	}
	var sleeps, other int
	for _, s := range body.List {
		own(s, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if nameOf(c.callee(n)) == "asyncio.Sleep" {
					sleeps++
					return false
				}
				other++
			case *ast.AssignStmt:
				if len(n.Lhs) != 1 || !isErrName(c.TypesInfo, n.Lhs[0]) {
					other++
				}
			case *ast.IncDecStmt, *ast.ForStmt, *ast.RangeStmt, *ast.SendStmt, *ast.GoStmt, *ast.DeferStmt, *ast.SelectStmt, *ast.SwitchStmt:
				other++
			}
			return true
		})
	}
	return sleeps == 1 && other == 0
}

// isErrName reports whether e is blank or of type error.
func isErrName(info *types.Info, e ast.Expr) bool {
	id, ok := e.(*ast.Ident)
	return ok && (id.Name == "_" || info.TypeOf(id) != nil && isError(info.TypeOf(id)))
}
