package rules

import (
	"go/ast"
	"go/token"
	"strings"

	"golang.org/x/tools/go/cfg"
)

// flow is the ways through a unit.
type flow struct {
	*cfg.CFG
	reach map[*cfg.Block]map[*cfg.Block]bool
}

func (c *checker) flowOf(u *unit) *flow {
	if u.flow == nil {
		u.flow = &flow{cfg.New(u.body, c.mayReturn), make(map[*cfg.Block]map[*cfg.Block]bool)}
	}
	return u.flow
}

// mayReturn reports whether call may return: those that end the goroutine or the
// program do not.
func (c *checker) mayReturn(call *ast.CallExpr) bool {
	if isBuiltin(c.TypesInfo, call, "panic") {
		return false
	}
	switch name := nameOf(c.callee(call)); name {
	case "os.Exit", "runtime.Goexit", "log.Fatal", "log.Fatalf", "log.Fatalln", "log.Panic", "log.Panicf", "log.Panicln":
		return false
	default:
		return !strings.HasPrefix(name, "testing.") || !strings.Contains(name, ".Fatal") && !strings.Contains(name, ".Skip") && !strings.HasSuffix(name, "Now")
	}
}

// block is the one that pos stands in, or nil.
func (f *flow) block(pos token.Pos) (in *cfg.Block) {
	var size token.Pos
	for _, b := range f.Blocks {
		for _, n := range b.Nodes {
			if n.Pos() <= pos && pos < n.End() && (in == nil || n.End()-n.Pos() < size) {
				in, size = b, n.End()-n.Pos()
			}
		}
	}
	return in
}

// leads reports whether b can come after a.
func (f *flow) leads(a, b *cfg.Block) bool {
	after := f.reach[a]
	if after == nil {
		after = make(map[*cfg.Block]bool)
		f.reach[a] = after
		for todo := []*cfg.Block{a}; len(todo) > 0; {
			next := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			for _, s := range next.Succs {
				if !after[s] {
					after[s] = true
					todo = append(todo, s)
				}
			}
		}
	}
	return a == b || after[b]
}

// together reports whether one way through u has both a and b in it; if it cannot
// tell, yes.
func (c *checker) together(u *unit, a, b token.Pos) bool {
	f := c.flowOf(u)
	from, to := f.block(a), f.block(b)
	if from == nil || to == nil {
		return true
	}
	return f.leads(from, to) || f.leads(to, from)
}
