package rules

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
)

// collect finds the sites of u, and what it gives to others to run.
func (c *checker) collect(u *unit) {
	c.findGuards(u)
	taken := make(map[ast.Node]bool)       // of a select, or of a go statement
	inPlace := make(map[*ast.FuncLit]bool) // called at once
	own(u.body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			if inPlace[n] {
				u.sites = append(u.sites, &site{pos: n.Pos(), at: n.Pos(), unit: c.byLit[n]})
			}
		case *ast.GoStmt:
			taken[n.Call] = true
			c.give(n.Call.Fun, away, "a go statement")
		case *ast.SelectStmt:
			c.collectSelect(u, n, taken)
		case *ast.UnaryExpr:
			if n.Op == token.ARROW && !taken[n] {
				u.block(n.Pos(), n.Pos(), "GL102", "a receive from a channel", c.insteadOfReceive(n.X))
			}
		case *ast.SendStmt:
			if !taken[n] && !c.vars.hasRoom(n.Chan) {
				u.block(n.Pos(), n.Chan.Pos(), "GL102", "a send to a channel", "asyncio.Queue, or ToThread")
			}
		case *ast.RangeStmt:
			if _, ok := c.TypesInfo.TypeOf(n.X).Underlying().(*types.Chan); ok {
				u.block(n.Pos(), n.X.Pos(), "GL102", "a range over a channel", "asyncio.Queue.All, or ToThread")
			}
		case *ast.CompositeLit:
			c.collectComposite(n)
		case *ast.CallExpr:
			if lit, ok := ast.Unparen(n.Fun).(*ast.FuncLit); ok && !taken[n] {
				inPlace[lit] = true
			}
			c.collectCall(u, n, taken[n], inPlace)
		}
		return true
	})
	// What runs only off the loop is not seen.
	u.sites = slices.DeleteFunc(u.sites, func(s *site) bool { return u.isOff(s.pos) })
}

// collectOutside notes the functions that are given in the values of the package's
// variables.
func (c *checker) collectOutside() {
	for _, f := range c.Files {
		for _, d := range f.Decls {
			if _, ok := d.(*ast.GenDecl); !ok {
				continue
			}
			own(d, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CompositeLit:
					c.collectComposite(n)
				case *ast.CallExpr:
					c.collectArgs(n, c.callee(n), make(map[*ast.FuncLit]bool))
				}
				return true
			})
		}
	}
}

func (u *unit) block(pos, at token.Pos, rule, what, instead string) {
	u.sites = append(u.sites, &site{pos: pos, at: at, blocker: blocker{rule, instead}, what: what})
}

// collectSelect takes what a select does as one.
func (c *checker) collectSelect(u *unit, s *ast.SelectStmt, taken map[ast.Node]bool) {
	at := s.Pos()
	blocks := true
	for _, clause := range s.Body.List {
		comm := clause.(*ast.CommClause).Comm
		if comm == nil {
			blocks = false
			continue
		}
		at = comm.Pos()
		ast.Inspect(comm, func(n ast.Node) bool {
			switch n.(type) {
			case *ast.UnaryExpr, *ast.SendStmt:
				taken[n] = true
			}
			return true
		})
	}
	if blocks {
		u.block(s.Pos(), at, "GL102", "a select without default", "asyncio.Wait, a Queue or an Event")
	}
}

// insteadOfReceive is what a task does instead of a receive from ch.
func (c *checker) insteadOfReceive(ch ast.Expr) string {
	if call, ok := c.vars.value(ch).(*ast.CallExpr); ok {
		switch nameOf(c.callee(call)) {
		case "time.After", "time.Tick":
			return "asyncio.Sleep(ctx, d)"
		case "context.Context.Done":
			return "a wait with that ctx: it ends with it"
		case "asyncio.ConcurrentFuture.Done":
			return "its Await"
		}
	}
	return "asyncio.FromChan, a Queue or a Future"
}

// collectComposite notes the functions that a literal of a type of package asyncio
// has in it.
func (c *checker) collectComposite(lit *ast.CompositeLit) {
	t := c.TypesInfo.TypeOf(lit)
	switch under := t.Underlying().(type) {
	case *types.Struct:
		if !isNamed(t, library+"/asyncio", "PoolConfig") {
			return
		}
		for _, e := range lit.Elts {
			if kv, ok := e.(*ast.KeyValueExpr); ok {
				c.give(kv.Value, task, "asyncio.Pool")
			}
		}
	case *types.Slice:
		if isNamed(under.Elem(), library+"/asyncio", "Awaitable") {
			for _, e := range lit.Elts {
				c.give(e, task, "who awaits it")
			}
		}
	}
}

func (c *checker) collectCall(u *unit, call *ast.CallExpr, spawned bool, inPlace map[*ast.FuncLit]bool) {
	f := c.callee(call)
	c.collectArgs(call, f, inPlace)
	if spawned {
		return
	}
	s := &site{pos: call.Pos(), at: call.Pos(), call: call, what: types.ExprString(call.Fun)}
	if f == nil { // a local function? A literal that is called has a site already.
		if _, called := ast.Unparen(call.Fun).(*ast.FuncLit); called {
			return
		}
		if _, s.unit = c.function(call.Fun); s.unit != nil && !c.TypesInfo.Types[call.Fun].IsType() {
			u.sites = append(u.sites, s)
		}
		return
	}
	s.fn, s.unit = f, c.byFunc[f]
	s.what = short(f)
	s.waits = maySuspend(f)
	if mustBeTask(f) {
		s.needs = s.what
	}
	name := nameOf(f)
	if b, ok := blockers[name]; ok {
		s.blocker = b
	} else if b, ok := fileCalls[name]; ok && withFiles {
		s.blocker = b
	} else if b, ok := c.blocksHere(call, name); ok {
		s.blocker = b
	} else if slices.Contains(runsLoop, name) {
		s.rule = "GL112"
	}
	u.sites = append(u.sites, s)
}

// collectArgs notes the functions that f, or a builtin, is given.
func (c *checker) collectArgs(call *ast.CallExpr, f *types.Func, inPlace map[*ast.FuncLit]bool) {
	if f == nil {
		if isBuiltin(c.TypesInfo, call, "append") && len(call.Args) > 1 {
			if s, ok := c.TypesInfo.TypeOf(call.Args[0]).Underlying().(*types.Slice); ok && isNamed(s.Elem(), library+"/asyncio", "Awaitable") {
				for _, arg := range call.Args[1:] {
					c.give(arg, task, "who awaits it")
				}
			}
		}
		return
	}
	if nameOf(f) == "asyncio.Func" { // a conversion: who takes its result says where it runs
		return
	}
	if c.servedBy(call, f) {
		return
	}
	c.findVirtual(call)
	at := runs(f)
	if at == unknown {
		return
	}
	for _, arg := range call.Args {
		t := c.TypesInfo.TypeOf(arg)
		if _, ok := t.Underlying().(*types.Signature); !ok && !isNamed(t, library+"/asyncio", "Awaitable") {
			continue
		}
		if at == inside {
			if lit, ok := ast.Unparen(arg).(*ast.FuncLit); ok {
				inPlace[lit] = true
			}
			continue
		}
		c.give(arg, at, short(f))
	}
}

// blocksHere knows functions that block only with some arguments or receivers.
func (c *checker) blocksHere(call *ast.CallExpr, name string) (blocker, bool) {
	receiver := func() (from string, of *ast.CallExpr) {
		sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
		if !ok {
			return "", nil
		}
		of, _ = c.vars.value(sel.X).(*ast.CallExpr)
		if of != nil {
			from = nameOf(c.callee(of))
		}
		return from, of
	}
	input := blocker{"GL108", "asyncio.ConnectReadPipe, or ToThread"}
	switch name {
	case "net.Listener.Accept":
		if from, _ := receiver(); from == "net.Listen" {
			return blocker{"GL106", "asyncio.Listen or AdoptListener"}, true
		}
	case "os.File.Read":
		if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok && c.isStdin(sel.X) {
			return input, true
		}
	case "io.ReadAll", "io.ReadFull", "fmt.Fscan", "fmt.Fscanln", "fmt.Fscanf":
		if len(call.Args) > 0 && c.isStdin(call.Args[0]) {
			return input, true
		}
	case "bufio.Scanner.Scan", "bufio.Reader.Read", "bufio.Reader.ReadByte", "bufio.Reader.ReadBytes", "bufio.Reader.ReadLine",
		"bufio.Reader.ReadRune", "bufio.Reader.ReadString":
		if from, of := receiver(); (from == "bufio.NewReader" || from == "bufio.NewScanner") && len(of.Args) == 1 && c.isStdin(of.Args[0]) {
			return input, true
		}
	case "database/sql.DB.SetMaxOpenConns":
		if n := c.TypesInfo.Types[call.Args[0]].Value; n != nil && constant.Sign(n) > 0 {
			return blocker{"GL110", "SetMaxOpenConns(0), and an asyncio.Pool or Semaphore in front"}, true
		}
	}
	return blocker{}, false
}

func (c *checker) isStdin(e ast.Expr) bool {
	sel, ok := c.vars.value(e).(*ast.SelectorExpr)
	if !ok {
		return false
	}
	o := c.TypesInfo.Uses[sel.Sel]
	return o != nil && o.Pkg() != nil && o.Pkg().Path() == "os" && o.Name() == "Stdin"
}
