package rules

import (
	"go/types"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/tools/go/packages"
)

// The names of the tables are those of functions that there are: one that is spelt
// wrong, or gone, would find nothing for ever.
func TestNames(t *testing.T) {
	names := slices.Concat(
		slices.Collect(maps.Keys(blockers)), slices.Collect(maps.Keys(fileCalls)), runsLoop,
		patient, suspends, mustBeOnLoop, callbacks, elsewhere, neutral, ofLoop, makesLoop, onVirtualTime, realTime, onlyEnds,
		neverBegin, beginTasks, withOwnContext, pureFuncs,
		slices.DeleteFunc(slices.Clone(atOnce), func(name string) bool { return !strings.Contains(name, ".") }),
	)
	byPackage := make(map[string][]string)
	for _, name := range names {
		pkg, rest := split(name)
		if strings.HasPrefix(pkg, "asyncio") {
			pkg = library + "/" + pkg
		} else if strings.Contains(pkg, ".") {
			continue // of a module that testdata does not need
		}
		byPackage[pkg] = append(byPackage[pkg], rest)
	}
	loaded, err := packages.Load(&packages.Config{Mode: packages.NeedName | packages.NeedTypes, Dir: testdata(t)}, slices.Sorted(maps.Keys(byPackage))...)
	require.NoError(t, err)
	require.Len(t, loaded, len(byPackage))
	for _, p := range loaded {
		require.Empty(t, p.Errors, p.PkgPath)
		for _, name := range byPackage[p.PkgPath] {
			f := find(p.Types, name)
			if assert.NotNil(t, f, "%s has no function %s", p.PkgPath, name) {
				assert.Equal(t, strings.TrimPrefix(p.PkgPath, library+"/")+"."+name, nameOf(f))
			}
		}
	}
}

// split cuts a name after the package.
func split(name string) (pkg, rest string) {
	folder := name[:strings.LastIndexByte(name, '/')+1]
	pkg, rest, _ = strings.Cut(name[len(folder):], ".")
	if strings.HasPrefix(rest, "go.") { // nats.go
		rest = rest[3:]
	}
	return folder + pkg, rest
}

// find is the function or method of that name.
func find(p *types.Package, name string) *types.Func {
	of, method, isMethod := strings.Cut(name, ".")
	o := p.Scope().Lookup(of)
	if isMethod && o != nil {
		o, _, _ = types.LookupFieldOrMethod(types.NewPointer(o.Type()), true, p, method)
		if o == nil { // of an interface
			o, _, _ = types.LookupFieldOrMethod(p.Scope().Lookup(of).Type(), true, p, method)
		}
	}
	f, _ := o.(*types.Func)
	return f
}
