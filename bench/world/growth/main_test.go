//go:build linux

package main

import (
	"os"
	"strings"
	"testing"
)

// All benchmarks, among a few: a table without gaps, and a picture of each.
func TestQuick(t *testing.T) {
	t.Chdir("..") // where the program is run
	folder := t.TempDir()
	var out strings.Builder
	if err := run([]string{"-most", "10", "-each", "1x", "-results", folder}, &out); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "| | 2 | 10 |") || strings.Contains(out.String(), "|  |") {
		t.Errorf("the table has gaps:\n%s", &out)
	}
	for _, p := range pictures {
		image, err := os.ReadFile(folder + "/growth-" + p.name + ".svg")
		if err != nil || strings.Contains(string(image), "NaN") {
			t.Errorf("%s: %v\n%s", p.name, err, image)
		}
	}
}

func TestRead(t *testing.T) {
	values, err := read([]byte("goos: linux\nBenchmarkRing/n=2/by=greenlet \t 100\t  4.5 ns/switch\t 0 B/op\nPASS\n"))
	if err != nil || values["ns/switch"] != 4.5 || values["B/op"] != 0 {
		t.Errorf("read %v, %v", values, err)
	}
	if _, err := read([]byte("PASS\n")); err == nil {
		t.Error("nothing was measured, and it does not say so")
	}
}
