// Layoutgen writes the tables of runtime layout constants in internal/rt.
//
// Usage, from the module's root:
//
//	go run ./internal/rt/layoutgen [-out folder] [toolchain ...]
//
// A toolchain is a Go version (go1.26.8) or a release (go1.26), which means
// its newest patch; without one, every release that has a table is written
// anew. The go command downloads toolchains it does not have.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/go-greenlet/greenlet/internal/rt/layoutgen/layout"
)

func main() {
	out := flag.String("out", filepath.Join("internal", "rt"), "folder to write to")
	flag.Parse()
	names := flag.Args()
	if len(names) == 0 {
		names = layout.Releases
	}
	if err := generate(*out, names); err != nil {
		fmt.Fprintln(os.Stderr, "layoutgen:", err)
		os.Exit(1)
	}
}

func generate(out string, names []string) error {
	for _, name := range names {
		tc, err := layout.Find(name)
		if err != nil {
			return err
		}
		for _, arch := range layout.Arches {
			table, err := tc.Probe(arch)
			if err != nil {
				return err
			}
			source, err := table.Source()
			if err != nil {
				return err
			}
			if err := write(out, layout.FileName(layout.Release(tc.Version), arch), source); err != nil {
				return err
			}
		}
	}
	source, err := layout.NoneSource()
	if err != nil {
		return err
	}
	return write(out, layout.NoneFileName, source)
}

func write(folder, name string, source []byte) error {
	file := filepath.Join(folder, name)
	if err := os.WriteFile(file, source, 0o666); err != nil {
		return err
	}
	fmt.Println(file)
	return nil
}
