package rules

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/analysis"
)

// variables is what the package says about its variables and fields.
type variables struct {
	info *types.Info

	// origin is the value of a variable that is assigned once; of one of several
	// results it is the call.
	origin map[types.Object]ast.Expr
	times  map[types.Object]int

	// roomy are channels that are made with room, and cramped those that are made
	// without: who is both is cramped.
	roomy, cramped map[types.Object]bool
}

func findVariables(pass *analysis.Pass) variables {
	v := variables{pass.TypesInfo, make(map[types.Object]ast.Expr), make(map[types.Object]int), make(map[types.Object]bool), make(map[types.Object]bool)}
	for _, f := range pass.Files {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				for i, l := range n.Lhs {
					v.assign(l, n.Rhs[min(i, len(n.Rhs)-1)])
				}
			case *ast.ValueSpec:
				for i, name := range n.Names {
					if len(n.Values) > 0 {
						v.assign(name, n.Values[min(i, len(n.Values)-1)])
					}
				}
			case *ast.RangeStmt:
				for _, e := range []ast.Expr{n.Key, n.Value} {
					if e != nil {
						v.times[v.object(e)] += 2
					}
				}
			case *ast.IncDecStmt:
				v.times[v.object(n.X)] += 2
			case *ast.UnaryExpr:
				if n.Op == token.AND { // whoever has the address may assign
					v.times[v.object(n.X)] += 2
				}
			case *ast.CompositeLit:
				if t := v.info.TypeOf(n); t != nil {
					v.fields(t, n.Elts)
				}
			case *ast.KeyValueExpr:
				if key, ok := n.Key.(*ast.Ident); ok {
					if field, ok := v.info.Uses[key].(*types.Var); ok && field.IsField() {
						v.channel(field, n.Value)
					}
				}
			case *ast.FuncType:
				for _, list := range []*ast.FieldList{n.Params, n.Results} {
					if list == nil {
						continue
					}
					for _, field := range list.List {
						for _, name := range field.Names {
							v.times[v.info.Defs[name]] += 2
						}
					}
				}
			}
			return true
		})
	}
	return v
}

// fields takes the values of a literal of a struct that are given in order.
func (v *variables) fields(t types.Type, values []ast.Expr) {
	if p, ok := t.Underlying().(*types.Pointer); ok { // of &T that is left out
		t = p.Elem()
	}
	s, ok := t.Underlying().(*types.Struct)
	if !ok {
		return
	}
	for i, value := range values {
		if _, named := value.(*ast.KeyValueExpr); !named && i < s.NumFields() {
			v.channel(s.Field(i), value)
		}
	}
}

// object is the variable or field that an expression names, or nil.
func (v *variables) object(e ast.Expr) types.Object {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		return v.info.ObjectOf(e)
	case *ast.SelectorExpr:
		return v.info.ObjectOf(e.Sel)
	}
	return nil
}

func (v *variables) assign(to, value ast.Expr) {
	o := v.object(to)
	if o == nil {
		return
	}
	v.times[o]++
	v.origin[o] = value
	v.channel(o, value)
}

// channel notes how o is made, if it is a channel.
func (v *variables) channel(o types.Object, value ast.Expr) {
	call, ok := ast.Unparen(value).(*ast.CallExpr)
	if !ok || len(call.Args) == 0 || !isBuiltin(v.info, call, "make") {
		return
	}
	if _, ok := v.info.TypeOf(call).Underlying().(*types.Chan); !ok {
		return
	}
	room := len(call.Args) == 2
	if room {
		if size := v.info.Types[call.Args[1]].Value; size != nil && constant.Sign(size) == 0 {
			room = false
		}
	}
	if room {
		v.roomy[o] = true
	} else {
		v.cramped[o] = true
	}
}

// hasRoom reports whether e is a channel that is always made with room.
func (v *variables) hasRoom(e ast.Expr) bool {
	o := v.object(e)
	return v.roomy[o] && !v.cramped[o]
}

// value is what e was assigned, if e is a variable that is assigned only once, else
// e itself.
func (v *variables) value(e ast.Expr) ast.Expr {
	e = ast.Unparen(e)
	if id, ok := e.(*ast.Ident); ok {
		o, ok := v.info.ObjectOf(id).(*types.Var)
		if ok && !o.IsField() && v.times[o] == 1 && v.origin[o] != nil {
			return ast.Unparen(v.origin[o])
		}
	}
	return e
}

func isBuiltin(info *types.Info, call *ast.CallExpr, name string) bool {
	id, ok := ast.Unparen(call.Fun).(*ast.Ident)
	if !ok || id.Name != name {
		return false
	}
	_, ok = info.Uses[id].(*types.Builtin)
	return ok
}
