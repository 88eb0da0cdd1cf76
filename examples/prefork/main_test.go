package main

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// The test binary is the program, if the environment says so, and so are the
// processes that it starts.
func TestMain(m *testing.M) {
	if os.Getenv("PREFORK_EXAMPLE") != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestRun(t *testing.T) {
	const want = `one of us said HELLO
one of us said HELLO
`
	exe, err := os.Executable()
	if err != nil {
		t.Skip(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), "PREFORK_EXAMPLE=1")
	out, err := cmd.CombinedOutput()
	switch {
	case errors.Is(err, errors.ErrUnsupported), strings.Contains(string(out), errors.ErrUnsupported.Error()):
		t.Skip("there are no such processes here")
	case err != nil:
		t.Error(err)
	}
	if string(out) != want {
		t.Errorf("got:\n%s\nwant:\n%s", out, want)
	}
}
