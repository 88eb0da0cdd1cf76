// Asyncvet finds what programs of package asyncio do wrong, before they run: calls
// that block the loop, locks that are held across a wait, errors and tasks that are
// dropped, waits where no task is. The page docs/asyncvet.md of the repository has
// the rules.
//
//	asyncvet [-files] [-strict] [-deps] ./...
//
// is short for
//
//	go vet -vettool=$(which asyncvet) [-files] [-strict] [-deps] ./...
//
// so it looks at tests, too, and what has not changed is not looked at again. It
// reports also what it finds in the packages that are imported, those of downloaded
// modules excepted.
// The flags are those of go vet and of rules.Analyzer.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"golang.org/x/tools/go/analysis/singlechecker"

	"github.com/go-greenlet/greenlet/asyncvet/rules"
)

func main() {
	if calledByVet(os.Args[1:]) {
		last := &os.Args[len(os.Args)-1]
		*last = withReports(*last)
		singlechecker.Main(rules.Analyzer)
	}
	self, err := os.Executable()
	if err != nil {
		fmt.Fprintln(os.Stderr, "asyncvet: Its own file is not found:", err)
		os.Exit(1)
	}
	vet := exec.Command("go", append([]string{"vet", "-vettool=" + self}, os.Args[1:]...)...)
	vet.Stdin, vet.Stdout, vet.Stderr = os.Stdin, os.Stdout, os.Stderr
	err = vet.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		os.Exit(exit.ExitCode())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "asyncvet: go vet does not run:", err)
		os.Exit(1)
	}
}

// calledByVet reports whether args are those that go vet gives its tool, or ask
// for help.
func calledByVet(args []string) bool {
	if len(args) == 0 {
		return true // it says how it is used
	}
	switch last := args[len(args)-1]; {
	case strings.HasSuffix(last, ".cfg"), last == "-flags", last == "-V=full":
		return true
	case last == "-h", last == "-help", last == "--help":
		return true
	}
	return false
}

// withReports returns a file that says what the file config does, but that asks for
// reports, too, where that asks for facts only.
//
// Go vet wants only facts of packages that are imported, and Go 1.26, before its
// ninth patch, keeps them in place of the reports: asked about that package next,
// it has nothing to say.
func withReports(config string) string {
	text, err := os.ReadFile(config)
	var fields map[string]any
	if err != nil || json.Unmarshal(text, &fields) != nil || fields["VetxOnly"] != true {
		return config
	}
	if path, _ := fields["ModulePath"].(string); path == "" { // the standard library
		return config
	}
	fields["VetxOnly"] = false
	if text, err = json.Marshal(fields); err != nil {
		return config
	}
	name := strings.TrimSuffix(config, ".cfg") + "-reports.cfg"
	if os.WriteFile(name, text, 0o600) != nil {
		return config
	}
	return name
}
