package rules

import (
	"go/ast"
	"go/token"
	"go/types"
	"maps"

	"golang.org/x/tools/go/cfg"
)

// held are the mutexes that are locked on all ways to a place, each with the place of
// its Lock.
type held map[string]token.Pos

// judgeLocks reports the mutexes that are locked where u waits.
func (c *checker) judgeLocks(u *unit) {
	if !c.locks(u.body) {
		return
	}
	waits := make(map[*ast.CallExpr]string)
	for _, s := range u.sites {
		if s.call != nil && s.waits {
			waits[s.call] = s.what
		}
	}
	if len(waits) == 0 {
		return
	}
	f := c.flowOf(u)
	before := map[*cfg.Block]held{f.Blocks[0]: {}}
	for todo := []*cfg.Block{f.Blocks[0]}; len(todo) > 0; {
		b := todo[0]
		todo = todo[1:]
		state := maps.Clone(before[b])
		for _, n := range b.Nodes {
			c.step(n, state, nil)
		}
		for _, next := range b.Succs {
			if meet(before, next, state) {
				todo = append(todo, next)
			}
		}
	}
	for _, b := range f.Blocks {
		if before[b] == nil {
			continue
		}
		state := maps.Clone(before[b])
		for _, n := range b.Nodes {
			c.step(n, state, func(call *ast.CallExpr) {
				what, waiting := waits[call]
				if !waiting {
					return
				}
				for mutex, pos := range state {
					c.report(pos, "GL103", "%s is locked while the task waits in %s at line %d: another task that locks it stops the loop for ever; use asyncio.Lock",
						mutex, what, c.Fset.Position(call.Pos()).Line)
				}
			})
		}
	}
}

// meet makes the state before b what is held on this way, too, and reports whether
// that is news.
func meet(before map[*cfg.Block]held, b *cfg.Block, state held) bool {
	old := before[b]
	if old == nil {
		before[b] = maps.Clone(state)
		return true
	}
	n := len(old)
	maps.DeleteFunc(old, func(mutex string, _ token.Pos) bool { _, both := state[mutex]; return !both })
	return len(old) < n
}

// step has the calls of n change the state, and tells see of each before.
func (c *checker) step(n ast.Node, state held, see func(*ast.CallExpr)) {
	own(n, func(x ast.Node) bool {
		switch x := x.(type) {
		case *ast.DeferStmt, *ast.GoStmt:
			return false // later, or elsewhere
		case *ast.CallExpr:
			for _, arg := range x.Args {
				c.step(arg, state, see)
			}
			if see != nil {
				see(x)
			}
			c.lock(x, state)
			return false
		}
		return true
	})
}

// lock has call change the state.
func (c *checker) lock(call *ast.CallExpr, state held) {
	sel, _ := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	switch f := c.callee(call); nameOf(f) {
	case "sync.Mutex.Lock", "sync.RWMutex.Lock", "sync.RWMutex.RLock":
		if sel != nil {
			state[types.ExprString(sel.X)] = call.Pos()
		}
	case "sync.Mutex.Unlock", "sync.RWMutex.Unlock", "sync.RWMutex.RUnlock":
		if sel != nil {
			delete(state, types.ExprString(sel.X))
		}
	default:
		// Another function of the package may unlock, by another name.
		_, u := c.function(call.Fun)
		if u == nil && f != nil {
			u = c.byFunc[f]
		}
		if u != nil && c.unlocks(u.node()) {
			clear(state)
		}
	}
}

// locks reports whether there is a Lock in n.
func (c *checker) locks(n ast.Node) bool { return c.calls(n, "Lock", "RLock") }

func (c *checker) unlocks(n ast.Node) bool { return c.calls(n, "Unlock", "RUnlock") }

func (c *checker) calls(n ast.Node, names ...string) (found bool) {
	ast.Inspect(n, func(x ast.Node) bool {
		if call, ok := x.(*ast.CallExpr); ok {
			f := c.callee(call)
			for _, name := range names {
				found = found || nameOf(f) == "sync.Mutex."+name || nameOf(f) == "sync.RWMutex."+name
			}
		}
		return !found
	})
	return found
}
