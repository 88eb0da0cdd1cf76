package main

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
)

// A fate is what is known of a mutant: the test that dies of it, or why none can.
type fate struct{ test, reason string }

// readKnown reads the list. There must be a line for every mutant and none for what
// is none.
func readKnown(all []*mutant) (map[string]fate, error) {
	known := make(map[string]fate)
	text, err := os.ReadFile(knownFile)
	if err != nil {
		return known, err
	}
	for i, line := range strings.Split(string(text), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		id, what, ok := strings.Cut(line, "\t")
		if !ok {
			return known, fmt.Errorf("%s:%d: no tab", knownFile, i+1)
		}
		if reason, survives := strings.CutPrefix(what, "- "); survives {
			known[id] = fate{reason: reason}
		} else {
			known[id] = fate{test: what}
		}
	}
	missing, stale := []string(nil), make(map[string]bool)
	for id := range known {
		stale[id] = true
	}
	for _, m := range all {
		if _, is := known[m.id]; !is {
			missing = append(missing, m.id)
		}
		delete(stale, m.id)
	}
	for id := range stale {
		missing = append(missing, "there is no more: "+id)
	}
	slices.Sort(missing)
	if len(missing) > 0 {
		return known, fmt.Errorf("%s does not know:\n\t%s\nRun with -write", knownFile, strings.Join(missing, "\n\t"))
	}
	return known, nil
}

const knownHead = `# Which test notices which gate. A line is a mutant, a tab, and the test that dies
# of it ("in" the stage of the run, if that is not the first: see main.go), or a
# hyphen and the reason why none can. "make mutants WRITE=-write" writes it anew
# and keeps the reasons.
`

func writeKnown(all []*mutant, known map[string]fate) error {
	var b bytes.Buffer
	b.WriteString(knownHead)
	for _, m := range all {
		switch k := known[m.id]; {
		case k.test != "":
			fmt.Fprintf(&b, "%s\t%s\n", m.id, k.test)
		case k.reason != "":
			fmt.Fprintf(&b, "%s\t- %s\n", m.id, k.reason)
		}
	}
	return os.WriteFile(knownFile, b.Bytes(), 0o666)
}
