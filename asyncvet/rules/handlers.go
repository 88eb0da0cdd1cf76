package rules

import (
	"go/ast"
	"go/types"
)

// findServed notes the handlers that u gives to package httpd, which calls them in
// tasks: a mux by its variable.
func (c *checker) findServed(u *unit) {
	own(u.body, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		switch nameOf(c.callee(call)) {
		case "asyncio/httpd.Serve", "asyncio/httpd.ListenAndServe":
			if len(call.Args) == 3 {
				c.serve(call.Args[2])
			}
		case "asyncio/httpd.New":
			if len(call.Args) == 1 {
				c.serveConfig(call.Args[0])
			}
		}
		return true
	})
}

// serveConfig looks for the Handler of an http.Server.
func (c *checker) serveConfig(e ast.Expr) {
	e = c.vars.value(e)
	if address, ok := e.(*ast.UnaryExpr); ok {
		e = address.X
	}
	lit, ok := e.(*ast.CompositeLit)
	if !ok {
		return
	}
	for _, e := range lit.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			if key, ok := kv.Key.(*ast.Ident); ok && key.Name == "Handler" {
				c.serve(kv.Value)
			}
		}
	}
}

func (c *checker) serve(handler ast.Expr) {
	if o := c.vars.object(handler); o != nil {
		c.served[o] = true
	}
	c.give(handler, task, "asyncio/httpd")
}

// servedBy notes the handler that a mux is given which package httpd serves, and
// reports whether f is a mux's method.
func (c *checker) servedBy(call *ast.CallExpr, f *types.Func) bool {
	switch nameOf(f) {
	case "net/http.ServeMux.HandleFunc", "net/http.ServeMux.Handle":
	default:
		return false
	}
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if ok && len(call.Args) == 2 && c.served[c.vars.object(sel.X)] {
		c.give(call.Args[1], task, "asyncio/httpd")
	}
	return true
}

// findProtocols finds the methods that transports call, in no task.
func (c *checker) findProtocols() {
	var interfaces []*types.Interface
	for _, p := range c.Pkg.Imports() {
		if p.Path() != library+"/asyncio" {
			continue
		}
		for _, name := range []string{"Protocol", "BufferedProtocol", "DatagramProtocol", "SubprocessProtocol", "FlowController", "EOFReceiver"} {
			if o := p.Scope().Lookup(name); o != nil {
				if i, ok := o.Type().Underlying().(*types.Interface); ok {
					interfaces = append(interfaces, i)
				}
			}
		}
	}
	for _, u := range c.units {
		if u.fn == nil || u.place != unknown || u.fn.Signature().Recv() == nil {
			continue
		}
		t := types.Unalias(u.fn.Signature().Recv().Type())
		if p, ok := t.(*types.Pointer); ok {
			t = p.Elem()
		}
		if !c.isProtocol(t, interfaces[:min(4, len(interfaces))]) {
			continue
		}
		for _, i := range interfaces {
			if m, _, _ := types.LookupFieldOrMethod(i, false, c.Pkg, u.fn.Name()); m != nil && types.Implements(types.NewPointer(t), i) {
				u.place, u.by = callback, "a transport"
			}
		}
	}
}

func (c *checker) isProtocol(t types.Type, interfaces []*types.Interface) bool {
	if n, ok := t.(*types.Named); !ok || n.TypeParams().Len() > 0 {
		return false
	}
	for _, i := range interfaces {
		if types.Implements(types.NewPointer(t), i) {
			return true
		}
	}
	return false
}
