package greenlet_test

import (
	"fmt"
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing/fstest"
)

var citedLaw = law{"what comments cite exists", citedNamesExist, []fstest.MapFS{
	oneFile("hub.go", "// It is sorted: see sortNone."),
	oneFile("hub.go", "// It is sorted: see hub.sorted.\ntype hub struct{}"),
	oneFile("hub.go", "// I1 holds. Kept by hub.run, sorted. Tested by none.\ntype hub struct{}\nfunc (hub) run() {}"),
	oneFile("hub.go", "// It is sorted: see sorted.go."),
	{"switch_amd64.s": {Data: []byte("// The caller is parked here: see PARK.\n")}},
}}

var (
	comment   = regexp.MustCompile(`//.*`)
	seeName   = regexp.MustCompile(`\b[Ss]ee ([A-Za-z_][\w./]*\w)`)
	keptBy    = regexp.MustCompile(`\bKept by ([^.;]*(?:\.\w[^.;]*)*)`)
	someName  = regexp.MustCompile(`[A-Za-z_][\w.]*\w`)
	asmName   = regexp.MustCompile(`(?m)^(?:TEXT ·|GLOBL ·|#define )(\w+)|^(\w+):`)
	plainWord = regexp.MustCompile(`^[A-Za-z]?[a-z]*$`)

	// Words between the names that keep something.
	between = []string{"and", "by", "of", "the", "test", "order"}
)

// citedNamesExist holds comments to what they send their reader to: "see X", and
// "Kept by X" of an invariant. A name of another package is not looked for.
func citedNamesExist(t tree) (offences []string) {
	names, files, packages := make(map[string]bool), make(map[string]bool), make(map[string]bool)
	for _, f := range t {
		files[path.Base(f.path)] = true
		if path.Ext(f.path) == ".s" {
			for _, m := range asmName.FindAllStringSubmatch(f.text, -1) {
				names[m[1]], names[m[2]] = true, true
			}
		}
	}
	for _, f := range t.goFiles() {
		packages[f.ast.Name.Name] = true
		for _, imported := range f.imports() {
			packages[path.Base(imported)] = true
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				names[n.Name.Name] = true
			case *ast.TypeSpec:
				names[n.Name.Name] = true
			case *ast.ValueSpec:
				for _, name := range n.Names {
					names[name.Name] = true
				}
			case *ast.Field:
				for _, name := range n.Names {
					names[name.Name] = true
				}
			}
			return true
		})
	}
	exists := func(name string) bool {
		if files[name] {
			return true
		}
		parts := strings.Split(name, ".")
		if len(parts) > 1 && packages[parts[0]] {
			return true
		}
		for _, part := range parts {
			if !names[part] {
				return false
			}
		}
		return true
	}
	for _, f := range t {
		if ext := path.Ext(f.path); f.isTest() || ext != ".go" && ext != ".s" {
			continue
		}
		text := joinedComments(f.text)
		for _, m := range seeName.FindAllStringSubmatch(text, -1) {
			if name := m[1]; !plainWord.MatchString(name) && !strings.Contains(name, "/") && !exists(name) {
				offences = append(offences, fmt.Sprintf("%s sends its reader to %s, which is not there", f.path, name))
			}
		}
		for _, m := range keptBy.FindAllStringSubmatch(text, -1) {
			for _, name := range someName.FindAllString(m[1], -1) {
				if !slices.Contains(between, name) && !exists(name) {
					offences = append(offences, fmt.Sprintf("%s says that %s keeps something, which is not there", f.path, name))
				}
			}
		}
	}
	return offences
}

// joinedComments returns the comments of a file, those of lines that follow each
// other as one line.
func joinedComments(text string) string {
	var all strings.Builder
	for line := range strings.Lines(text) {
		if c := comment.FindString(strings.TrimRight(line, "\n")); c != "" {
			all.WriteString(" " + strings.TrimSpace(strings.TrimPrefix(c, "//")))
		} else {
			all.WriteString("\n")
		}
	}
	return all.String()
}
