package greenlet_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A user of the faces, in a module of its own. It prints what it has added up
// and, if asked, where the time went.
const facesProgram = `package main

import (
	"fmt"
	"os"
	"runtime/pprof"
	"time"

	"github.com/go-greenlet/greenlet"
)

type big struct{ a, b, c, d, e, f, g, h int }

func coro() (sum int) {
	c := greenlet.NewCoro(func(c *greenlet.Coro[int, big], in int) error {
		for {
			in = c.Yield(big{a: in, h: 1})
		}
	})
	for i := range 1000 {
		v, _ := c.Resume(i)
		sum += v.a + v.h
	}
	return sum
}

func generator() (sum int) {
	g := greenlet.NewGenerator(func(y *greenlet.Yielder[int, string]) (string, error) {
		for i := 0; ; i++ {
			y.Yield(i)
		}
	})
	for range 1000 {
		v, _ := g.Next()
		sum += v
	}
	return sum
}

func pull[V any](value func(i int) V, add func(V) int) (sum int) {
	next, stop := greenlet.Pull(func(yield func(V) bool) {
		for i := 0; yield(value(i)); i++ {
		}
	})
	defer stop()
	for range 1000 {
		v, ok := next()
		if !ok {
			panic("no value")
		}
		sum += add(v)
	}
	return sum
}

func pull2[K, V any](key func(i int) K, value V, add func(K, V) int) (sum int) {
	next, stop := greenlet.Pull2(func(yield func(K, V) bool) {
		for i := 0; yield(key(i), value); i++ {
		}
	})
	defer stop()
	for range 1000 {
		k, v, ok := next()
		if !ok {
			panic("no value")
		}
		sum += add(k, v)
	}
	return sum
}

func main() {
	if len(os.Args) > 1 {
		f, err := os.Create(os.Args[1])
		if err != nil {
			panic(err)
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			panic(err)
		}
		defer pprof.StopCPUProfile()
		for start := time.Now(); time.Since(start) < time.Second; {
			coro()
			generator()
			pull(func(i int) int { return i }, func(i int) int { return i })
			pull(func(i int) big { return big{h: i} }, func(v big) int { return v.h })
			pull2(func(i int) int { return i }, "x", func(k int, v string) int { return k * len(v) })
			pull2(func(i int) big { return big{h: i} }, 1.5, func(k big, v float64) int { return k.h * int(2*v) })
		}
	}
	fmt.Println(coro(), generator(),
		pull(func(i int) int { return i }, func(i int) int { return i }),
		pull(func(i int) big { return big{h: i} }, func(v big) int { return v.h }),
		pull2(func(i int) int { return i }, "x", func(k int, v string) int { return k * len(v) }),
		pull2(func(i int) big { return big{h: i} }, 1.5, func(k big, v float64) int { return k.h * int(2*v) }))
}
`

const facesOutput = "500500 499500 499500 499500 499500 1498500\n"

// facesModule writes the program down and returns a function that runs the go
// command there.
func facesModule(t *testing.T) (dir string, run func(args ...string) string) {
	t.Helper()
	tool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("needs the go command: ", err)
	}
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	mod := fmt.Sprintf("module user\n\ngo 1.25\n\nrequire github.com/go-greenlet/greenlet v0.0.0\n\nreplace github.com/go-greenlet/greenlet => %s\n", root)
	for name, text := range map[string]string{"go.mod": mod, "main.go": facesProgram} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir, func(args ...string) string {
		t.Helper()
		cmd := exec.Command(tool, args...)
		if filepath.IsAbs(args[0]) {
			cmd = exec.Command(args[0], args[1:]...)
		}
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		return string(out)
	}
}

// leaving returns the functions in a source file that end in returns' jump:
// those whose last result is a call of something named leave. They are given as
// the compiler gives them, line:column.
func leaving(t *testing.T, file string) (places []string) {
	t.Helper()
	f, err := parser.ParseFile(fset, file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		var body *ast.BlockStmt
		switch fn := n.(type) {
		case *ast.FuncLit:
			body = fn.Body
		case *ast.FuncDecl:
			body = fn.Body
		}
		if body == nil || len(body.List) == 0 {
			return true
		}
		ret, ok := body.List[len(body.List)-1].(*ast.ReturnStmt)
		if !ok || len(ret.Results) != 1 {
			return true
		}
		call, ok := ret.Results[0].(*ast.CallExpr)
		if !ok {
			return true
		}
		name := ""
		switch fun := call.Fun.(type) {
		case *ast.Ident:
			name = fun.Name
		case *ast.SelectorExpr:
			name = fun.Sel.Name
		}
		if strings.HasPrefix(name, "leave") {
			at := fset.Position(n.Pos())
			places = append(places, fmt.Sprintf("%d:%d", at.Line, at.Column))
		}
		return true
	})
	return places
}

// The steps of the faces are inlined into the user's code, for the same reason
// as Switch. Functions that return by a jump are not inlined into anything: they
// would leave another function's frame.
func TestFacesAreInlined(t *testing.T) {
	_, run := facesModule(t)
	jumpers := leaving(t, "pull.go")
	if len(jumpers) != 4 {
		t.Errorf("functions of pull.go that end in a jump: %v, expected are next and yield, twice", jumpers)
	}
	for _, tags := range []string{"", "purego"} {
		notes := run("build", "-tags="+tags, "-gcflags=-m=2", "-o", os.DevNull, ".")
		for _, step := range []string{`\(\*Coro\[.*\]\)\.Resume`, `\(\*Coro\[.*\]\)\.Yield`, `\(\*Generator\[.*\]\)\.Next`, `\(\*Yielder\[.*\]\)\.Yield`} {
			if !regexp.MustCompile(`inlining call to greenlet\.` + step).MatchString(notes) {
				t.Errorf("tags %q: %s is not inlined", tags, step)
			}
		}
		for _, place := range jumpers {
			at := regexp.QuoteMeta("pull.go:" + place + ": ")
			if !regexp.MustCompile(at+"cannot inline").MatchString(notes) || regexp.MustCompile(at+"can inline").MatchString(notes) {
				t.Errorf("tags %q: the function at pull.go:%s may be inlined", tags, place)
			}
		}
	}
}

// Nor when a profile says that they are hot.
func TestFacesWithAProfile(t *testing.T) {
	if testing.Short() || raceOn {
		t.Skip("builds the standard library anew")
	}
	if builtWith("-tags", "purego") {
		t.Skip("builds the same program as without the tag")
	}
	dir, run := facesModule(t)
	program, profile := filepath.Join(dir, "user"), filepath.Join(dir, "hot.pprof")
	run("build", "-o", program, ".")
	if out := run(program, profile); out != facesOutput {
		t.Errorf("the program prints %q", out)
	}
	notes := run("build", "-pgo="+profile, "-gcflags=-m=2", "-o", program, ".")
	for _, place := range leaving(t, "pull.go") {
		if regexp.MustCompile(regexp.QuoteMeta("pull.go:"+place+": ") + "can inline").MatchString(notes) {
			t.Errorf("the function at pull.go:%s may be inlined", place)
		}
	}
	for range 3 {
		if out := run(program); out != facesOutput {
			t.Errorf("built with its profile the program prints %q", out)
		}
	}
}
