package greenlet_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// The documentation is held to what it says. A block of Go is in gofmt's form.
// A block of Go that begins with a package clause is a program: it builds, it
// passes vet, and it prints the block of text that follows it. A link leads
// somewhere.

// A docBlock is the inside of a fence of a page.
type docBlock struct {
	page string
	line int
	lang string
	text string
}

func (b docBlock) String() string { return fmt.Sprintf("%s:%d", b.page, b.line) }
func (b docBlock) isProgram() bool {
	return b.lang == "go" && strings.HasPrefix(b.text, "package main\n")
}

var docFence = regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$")

func docBlocks(page, text string) (all []docBlock) {
	for _, m := range docFence.FindAllStringSubmatchIndex(text, -1) {
		all = append(all, docBlock{
			page: page,
			line: 1 + strings.Count(text[:m[0]], "\n"),
			lang: text[m[2]:m[3]],
			text: text[m[4]:m[5]],
		})
	}
	return all
}

// docPages returns the documentation: every .md file but the test data's.
func docPages(t *testing.T) (all tree) {
	t.Helper()
	everything, err := readTree(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range everything {
		if path.Ext(f.path) == ".md" && topFolder(f.path) != "testdata" {
			all = append(all, f)
		}
	}
	if len(all) == 0 {
		t.Fatal("no documentation")
	}
	return all
}

func TestDocBlocks(t *testing.T) {
	for _, page := range docPages(t) {
		for _, offence := range badBlocks(page) {
			t.Error(offence)
		}
	}
	for _, broken := range []string{
		"```go\nx  := 1\n```\n",                // not in gofmt's form
		"```go\nif {\n```\n",                   // no Go
		"```go\npackage main\n```\n\nThe end.", // no output
		"```go\npackage main\n```\n\n```python\n```\n",
		"```go\nx := 1\n", // no end
	} {
		if len(badBlocks(&file{path: "broken.md", text: broken})) == 0 {
			t.Errorf("goes unnoticed:\n%s", broken)
		}
	}
}

func badBlocks(page *file) (offences []string) {
	all := docBlocks(page.path, page.text)
	if strings.Count(page.text, "\n```")+strings.Count(page.text[:min(3, len(page.text))], "```") != 2*len(all) {
		offences = append(offences, page.path+": a fence without an end")
	}
	for i, b := range all {
		if b.lang != "go" {
			continue
		}
		if nice, err := format.Source([]byte(b.text)); err != nil {
			offences = append(offences, fmt.Sprintf("%s: %v", b, err))
		} else if string(nice) != b.text {
			offences = append(offences, fmt.Sprintf("%s: gofmt would change this block", b))
		}
		if b.isProgram() && (i+1 == len(all) || all[i+1].lang != "text") {
			offences = append(offences, fmt.Sprintf("%s: a program that does not say what it prints", b))
		}
	}
	return offences
}

var docLink = regexp.MustCompile(`\]\(([^)\s]+)\)`)

func TestDocLinks(t *testing.T) {
	for _, page := range docPages(t) {
		for _, offence := range badLinks(page, os.DirFS(".")) {
			t.Error(offence)
		}
	}
	for _, broken := range []string{"[a](nowhere.md)", "[a](README.md#nowhere)", "[a](#nowhere)"} {
		if len(badLinks(&file{path: "broken.md", text: broken}, os.DirFS("."))) == 0 {
			t.Errorf("%s goes unnoticed", broken)
		}
	}
}

// badLinks looks at the links of a page to files of the module and to headings.
func badLinks(page *file, fsys fs.FS) (offences []string) {
	for _, m := range docLink.FindAllStringSubmatch(docFence.ReplaceAllString(page.text, ""), -1) {
		to, heading, _ := strings.Cut(m[1], "#")
		if strings.Contains(to, "://") {
			continue
		}
		text := page.text
		if to != "" {
			target := path.Join(path.Dir(page.path), to)
			if _, err := fs.Stat(fsys, target); err != nil {
				offences = append(offences, fmt.Sprintf("%s: link to %s: there is no such file", page.path, to))
				continue
			}
			if data, err := fs.ReadFile(fsys, target); err == nil {
				text = string(data)
			}
		}
		if heading != "" && !docHeadings(text)[heading] {
			offences = append(offences, fmt.Sprintf("%s: link to %s: there is no such heading", page.path, m[1]))
		}
	}
	return offences
}

var (
	docHeading     = regexp.MustCompile(`(?m)^#+ (.*)$`)
	notInDocAnchor = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// docHeadings returns the anchors that a page's headings make.
func docHeadings(text string) map[string]bool {
	anchors := make(map[string]bool)
	for _, m := range docHeading.FindAllStringSubmatch(docFence.ReplaceAllString(text, ""), -1) {
		name := notInDocAnchor.ReplaceAllString(strings.ToLower(m[1]), "")
		anchors[strings.ReplaceAll(name, " ", "-")] = true
	}
	return anchors
}

// The first program of a package stands in the README, in the package's
// documentation and among its examples: it is the same one.
func TestFirstProgram(t *testing.T) {
	here, err := readTree(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{".", "asyncio"} {
		t.Run(path.Join(module, dir), func(t *testing.T) { sameFirstProgram(t, here, dir) })
	}
}

func sameFirstProgram(t *testing.T, here tree, dir string) {
	var program, output, packageDoc, example string
	for _, f := range here {
		switch f.path {
		case "README.md":
			all := docBlocks(f.path, f.text)
			for i, b := range all {
				uses := strings.Contains(b.text, strconv.Quote(path.Join(module, dir)))
				if program == "" && b.isProgram() && uses && i+1 < len(all) {
					program, output = b.text, all[i+1].text
				}
			}
		case path.Join(dir, "doc.go"):
			packageDoc = f.ast.Doc.Text()
		case path.Join(dir, "first_example_test.go"):
			for _, d := range f.ast.Decls {
				if d, ok := d.(*ast.FuncDecl); ok && d.Name.Name == "Example" {
					body := f.text[fset.Position(d.Body.Pos()).Offset:fset.Position(d.Body.End()).Offset]
					example = strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(body, "{"), "}"))
				}
			}
		}
	}
	if lines := strings.Count(program, "\n"); lines == 0 || lines > 20 {
		t.Errorf("the first program of the README has %d lines", lines)
	}
	if !strings.Contains(packageDoc, indented("\t", program)) {
		t.Error("doc.go does not hold the first program of the README")
	}
	_, body, _ := strings.Cut(strings.TrimSuffix(program, "}\n"), "func main() {\n")
	want := strings.TrimSpace(body + "\t// Output:\n" + indented("\t// ", output))
	if example != want {
		t.Errorf("Example is\n%s\nand the first program of the README\n%s", example, want)
	}
}

// indented puts prefix before every line that is not empty.
func indented(prefix, text string) string {
	lines := strings.SplitAfter(text, "\n")
	for i, line := range lines {
		if strings.TrimSpace(line) != "" {
			lines[i] = prefix + line
		}
	}
	return strings.Join(lines, "")
}

// TestDocPrograms builds all programs of the documentation in a module of their
// own and runs each with both backends.
func TestDocPrograms(t *testing.T) {
	if testing.Short() {
		t.Skip("builds programs")
	}
	if builtWith("-tags", "purego") {
		t.Skip("builds the same programs as without the tag")
	}
	host, err := exec.Command("go", "env", "GOHOSTOS", "GOHOSTARCH").Output()
	if err != nil {
		t.Skip("there is no go tool: ", err)
	}
	if string(host) != runtime.GOOS+"\n"+runtime.GOARCH+"\n" {
		t.Skip("the go tool is at home on another system")
	}
	root, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", fmt.Sprintf("module programs\n\ngo 1.25\n\nrequire %s v0.0.0\n\nreplace %[1]s => %q\n", module, root))
	if sum, err := os.ReadFile("go.sum"); err == nil {
		write("go.sum", string(sum))
	}
	type program struct {
		docBlock
		name, output string
	}
	var programs []program
	for _, page := range docPages(t) {
		all := docBlocks(page.path, page.text)
		for i, b := range all {
			if b.isProgram() && i+1 < len(all) {
				name := fmt.Sprintf("p%02d", len(programs))
				programs = append(programs, program{b, name, all[i+1].text})
				write(name+"/main.go", b.text)
			}
		}
	}
	goTool := func(args ...string) {
		t.Helper()
		cmd := exec.Command("go", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
		if out, err := cmd.CombinedOutput(); err != nil {
			for _, p := range programs {
				t.Log(p.name, "is", p.docBlock)
			}
			t.Fatalf("go %v: %v\n%s", args, err, out)
		}
	}
	goTool("vet", "./...")
	goTool("build", "-o", "bin"+string(filepath.Separator), "./...")
	for _, p := range programs {
		for _, forced := range []string{"", "generic"} {
			exe := filepath.Join(dir, "bin", p.name)
			if runtime.GOOS == "windows" {
				exe += ".exe"
			}
			cmd := exec.Command(exe)
			cmd.Env = append(os.Environ(), "GREENLET_BACKEND="+forced)
			var errs bytes.Buffer
			cmd.Stderr = &errs
			out, err := cmd.Output()
			if err != nil {
				t.Errorf("%s (backend %q): %v\n%s", p.docBlock, forced, err, errs.String())
			}
			if string(out) != p.output {
				t.Errorf("%s (backend %q) prints\n%sand the page says\n%s", p.docBlock, forced, out, p.output)
			}
		}
	}
}
