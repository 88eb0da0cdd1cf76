package api

import (
	"fmt"
	"go/types"
	"maps"
	"os"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

const module = "github.com/go-greenlet/greenlet"

// A system is one of those that the module is built for, as go build is told of it.
type system struct {
	name string
	env  []string
	tags string
}

// systems are those whose files differ from each other.
var systems = []system{
	{"linux", []string{"GOOS=linux", "GOARCH=amd64"}, ""},
	{"portable", []string{"GOOS=linux", "GOARCH=amd64"}, "portable"},
	{"purego", []string{"GOOS=linux", "GOARCH=amd64"}, "purego"},
	{"darwin", []string{"GOOS=darwin", "GOARCH=arm64"}, ""},
	{"windows", []string{"GOOS=windows", "GOARCH=amd64"}, ""},
	{"js", []string{"GOOS=js", "GOARCH=wasm"}, ""},
}

// listings returns the lines of each package below dir that others can import, by the
// package's path in the module.
func listings(dir string) (map[string][]string, error) {
	has := make(map[string]map[string][]string) // package, line: systems
	for _, s := range systems {
		found, err := packages.Load(&packages.Config{
			Mode:       packages.NeedName | packages.NeedTypes | packages.NeedImports | packages.NeedDeps,
			Dir:        dir,
			Env:        append(os.Environ(), append(s.env, "CGO_ENABLED=0")...),
			BuildFlags: []string{"-tags=" + s.tags},
		}, "./...")
		if err != nil {
			return nil, err
		}
		for _, p := range found {
			if len(p.Errors) > 0 {
				return nil, fmt.Errorf("%s on %s: %w", p.PkgPath, s.name, p.Errors[0])
			}
			name := strings.TrimPrefix(strings.TrimPrefix(p.PkgPath, module), "/")
			if p.Name == "main" || !importable(name) {
				continue
			}
			if has[name] == nil {
				has[name] = make(map[string][]string)
			}
			for _, line := range lines(p.Types) {
				has[name][line] = append(has[name][line], s.name)
			}
		}
	}
	all := make(map[string][]string)
	for name, where := range has {
		for _, line := range slices.Sorted(maps.Keys(where)) {
			if on := where[line]; len(on) < len(systems) {
				line += " // " + strings.Join(on, ", ")
			}
			all[name] = append(all[name], line)
		}
	}
	return all, nil
}

// importable reports whether the package at path, in the module, is one for users.
func importable(path string) bool {
	for folder := range strings.SplitSeq(path, "/") {
		if slices.Contains([]string{"internal", "examples", "bench", "tools"}, folder) {
			return false
		}
	}
	return true
}

// lines returns a line for each exported thing of p: functions, types, their fields
// and methods, constants with their values, variables.
func lines(p *types.Package) (all []string) {
	relative := types.RelativeTo(p)
	for _, name := range p.Scope().Names() {
		if o := p.Scope().Lookup(name); o.Exported() {
			switch o := o.(type) {
			case *types.TypeName:
				all = append(all, typeLines(o, relative)...)
			case *types.Const:
				all = append(all, types.ObjectString(o, relative)+" = "+o.Val().ExactString())
			case *types.Func:
				all = append(all, "func "+name+signature(o, relative))
			default:
				all = append(all, types.ObjectString(o, relative))
			}
		}
	}
	return all
}

func typeLines(o *types.TypeName, relative types.Qualifier) (all []string) {
	t := o.Type()
	head := "type " + types.TypeString(t, relative)
	if a, ok := t.(*types.Alias); ok {
		return []string{"type " + types.TypeString(a, relative) + " = " + types.TypeString(a.Rhs(), relative)}
	}
	switch under := t.Underlying().(type) {
	case *types.Struct:
		all = append(all, head+" struct")
		for f := range under.Fields() {
			if f.Exported() {
				all = append(all, fmt.Sprintf("field %s.%s %s", o.Name(), f.Name(), types.TypeString(f.Type(), relative)))
			}
		}
	case *types.Interface:
		all = append(all, head+" interface")
		for m := range under.Methods() {
			if m.Exported() {
				all = append(all, fmt.Sprintf("method %s.%s%s", o.Name(), m.Name(), signature(m, relative)))
			} else {
				all = append(all, "method "+o.Name()+" of this package only")
			}
		}
	default:
		all = append(all, head+" "+types.TypeString(under, relative))
	}
	if !types.IsInterface(t) {
		set := types.NewMethodSet(types.NewPointer(t))
		for m := range set.Methods() {
			if m.Obj().Exported() {
				all = append(all, fmt.Sprintf("method (%s) %s%s", receiver(m, t, relative), m.Obj().Name(), signature(m.Obj(), relative)))
			}
		}
	}
	return slices.Compact(all)
}

// receiver is T where a value of T has the method, too, else *T.
func receiver(m *types.Selection, t types.Type, relative types.Qualifier) string {
	name := types.TypeString(t, relative)
	if types.NewMethodSet(t).Lookup(m.Obj().Pkg(), m.Obj().Name()) == nil {
		name = "*" + name
	}
	return name
}

// signature is what callers must know of f: no names of parameters, which differ
// from one system to another.
func signature(f types.Object, relative types.Qualifier) string {
	sig := f.Type().(*types.Signature)
	text := typeParams(sig.TypeParams(), relative) + "(" + list(sig.Params(), sig.Variadic(), relative) + ")"
	switch results := list(sig.Results(), false, relative); {
	case sig.Results().Len() > 1:
		text += " (" + results + ")"
	case results != "":
		text += " " + results
	}
	return text
}

func typeParams(params *types.TypeParamList, relative types.Qualifier) string {
	if params.Len() == 0 {
		return ""
	}
	var all []string
	for p := range params.TypeParams() {
		all = append(all, p.Obj().Name()+" "+types.TypeString(p.Constraint(), relative))
	}
	return "[" + strings.Join(all, ", ") + "]"
}

func list(vars *types.Tuple, variadic bool, relative types.Qualifier) string {
	var all []string
	for v := range vars.Variables() {
		all = append(all, types.TypeString(v.Type(), relative))
	}
	if last := len(all) - 1; variadic {
		all[last] = "..." + strings.TrimPrefix(all[last], "[]")
	}
	return strings.Join(all, ", ")
}
