package rules

import (
	"go/token"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// An ignore is a comment that exempts a line from rules: the line that it ends, or
// the one below it.
//
//	//asyncvet:ignore GL102 the answer is there already
type ignore struct {
	pos    token.Pos
	rules  []string
	reason string
	alone  bool // it has a line of its own
	used   bool
}

const ignorePrefix = "//asyncvet:ignore"

// ignores has the comments of a package by file and line.
type ignores map[string]map[int]*ignore

func findIgnores(pass *analysis.Pass) ignores {
	all := make(ignores)
	for _, f := range pass.Files {
		for _, group := range f.Comments {
			for _, comment := range group.List {
				text, ok := strings.CutPrefix(comment.Text, ignorePrefix)
				if !ok {
					continue
				}
				// A second comment on the line is no reason.
				text, _, _ = strings.Cut(text, "//")
				rules, reason, _ := strings.Cut(strings.TrimSpace(text), " ")
				at := pass.Fset.Position(comment.Pos())
				if all[at.Filename] == nil {
					all[at.Filename] = make(map[int]*ignore)
				}
				all[at.Filename][at.Line] = &ignore{
					pos:    comment.Pos(),
					rules:  strings.Split(rules, ","),
					reason: strings.TrimSpace(reason),
					alone:  alone(pass, at),
				}
			}
		}
	}
	return all
}

// alone reports whether nothing but space precedes at in its line.
func alone(pass *analysis.Pass, at token.Position) bool {
	text, err := pass.ReadFile(at.Filename)
	if err != nil || at.Offset > len(text) {
		return false
	}
	before := string(text[:at.Offset])
	return strings.TrimSpace(before[strings.LastIndexByte(before, '\n')+1:]) == ""
}

// cover reports whether the line of pos is exempt from rule, and notes that the
// comment is of use.
func (all ignores) cover(fset *token.FileSet, pos token.Pos, rule string) bool {
	at := fset.Position(pos)
	for _, line := range []int{at.Line, at.Line - 1} {
		i := all[at.Filename][line]
		if i == nil || line < at.Line && !i.alone {
			continue
		}
		for _, r := range i.rules {
			if r == rule {
				i.used = true
				return true
			}
		}
	}
	return false
}

// judgeIgnores reports those without a reason, and those that exempt nothing.
func (c *checker) judgeIgnores() {
	tell := func(i *ignore, what string) {
		c.Pass.Report(analysis.Diagnostic{Pos: i.pos, Category: "ignore", Message: "asyncvet:ignore: " + what})
	}
	for _, lines := range c.ignores {
		for _, i := range lines {
			for _, r := range i.rules {
				switch {
				case !known(r):
					tell(i, "there is no rule "+r)
				case !i.used && (r != "GL109" || withFiles) && (r != "GL201" || strict):
					tell(i, r+" finds nothing here")
				}
			}
			if i.reason == "" {
				tell(i, "give a reason after the rule")
			}
		}
	}
}
