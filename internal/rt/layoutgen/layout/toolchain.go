package layout

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// A Toolchain is one Go release on this machine.
type Toolchain struct {
	Root       string // its GOROOT
	Version    string // such as go1.26.8
	Experiment string // its GOEXPERIMENT, empty for the release's own choice
}

var versionForm = regexp.MustCompile(`^(go1\.\d+)(?:\.(\d+))?$`)

// Release returns the release that a version belongs to, go1.26 for go1.26.8,
// or "" for something else than a released version.
func Release(version string) string {
	m := versionForm.FindStringSubmatch(version)
	if m == nil {
		return ""
	}
	return m[1]
}

// Find returns the toolchain of a version such as go1.26.8, downloading it if
// the go command may. A release such as go1.26 means its newest patch.
func Find(name string) (Toolchain, error) {
	m := versionForm.FindStringSubmatch(name)
	if m == nil {
		return Toolchain{}, fmt.Errorf("%q is not a Go release (go1.26) or version (go1.26.8)", name)
	}
	version := name
	if m[2] == "" {
		var err error
		if version, err = newestPatch(name); err != nil {
			return Toolchain{}, err
		}
	}
	out, err := runGo("go", []string{"GOTOOLCHAIN=" + version}, os.TempDir(), "env", "GOROOT", "GOVERSION")
	if err != nil {
		return Toolchain{}, fmt.Errorf("toolchain %s cannot be had: %w", version, err)
	}
	lines := strings.Split(out, "\n")
	if len(lines) < 2 || lines[1] != version {
		return Toolchain{}, fmt.Errorf("asked for toolchain %s, got %q", version, out)
	}
	tc := Toolchain{Root: lines[0], Version: version}
	tc.Experiment, err = tc.run(nil, os.TempDir(), "env", "GOEXPERIMENT")
	return tc, err
}

// newestPatch asks the module proxy for the newest version of a release.
func newestPatch(release string) (string, error) {
	out, err := runGo("go", nil, os.TempDir(), "list", "-m", "-versions", "go")
	if err != nil {
		return "", fmt.Errorf("finding the newest patch of %s (name a full version to go without): %w", release, err)
	}
	newest := -1
	for _, v := range strings.Fields(out) {
		m := versionForm.FindStringSubmatch("go" + v)
		if m == nil || m[1] != release {
			continue
		}
		if n, err := strconv.Atoi(m[2]); err == nil {
			newest = max(newest, n)
		}
	}
	if newest < 0 {
		return "", fmt.Errorf("there is no released version of %s", release)
	}
	return fmt.Sprintf("%s.%d", release, newest), nil
}

// Probe builds the probe program for an architecture, on linux, and reads its
// layout.
func (tc Toolchain) Probe(goarch string) (*Table, error) {
	return tc.probeOn("linux", goarch)
}

func (tc Toolchain) probeOn(goos, goarch string) (*Table, error) {
	table, err := tc.probe(goos, goarch)
	if err != nil {
		return nil, fmt.Errorf("%s %s/%s: %w", tc.Version, goos, goarch, err)
	}
	return table, nil
}

func (tc Toolchain) probe(goos, goarch string) (*Table, error) {
	dir, err := os.MkdirTemp("", "layoutgen")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)

	// Every program holds package runtime, so this one need not do anything.
	files := map[string]string{
		"go.mod":  "module probe\n\ngo " + strings.TrimPrefix(Release(tc.Version), "go") + "\n",
		"main.go": "package main\n\nfunc main() {}\n",
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			return nil, err
		}
	}
	env := []string{"GOOS=" + goos, "GOARCH=" + goarch, "CGO_ENABLED=0"}
	if _, err := tc.run(env, dir, "build", "-buildvcs=false", "-o", "probe", "."); err != nil {
		return nil, err
	}
	info, err := readDebugInfo(filepath.Join(dir, "probe"))
	if err != nil {
		return nil, err
	}
	return newTable(tc, goarch, info)
}

// run runs the toolchain's own go command. It does not read the user's
// settings file, whose GOFLAGS or GOEXPERIMENT would change the probe.
func (tc Toolchain) run(env []string, dir string, args ...string) (string, error) {
	env = append([]string{"GOTOOLCHAIN=local", "GOENV=off"}, env...)
	return runGo(filepath.Join(tc.Root, "bin", "go"), env, dir, args...)
}

// scrubbed are the variables that choose a toolchain or change what it
// builds. A test or a go run inherits some of them from the go command.
var scrubbed = []string{
	"GOROOT", "GOTOOLCHAIN", "GOTOOLCHAIN_INTERNAL_SWITCH_COUNT", "GOTOOLCHAIN_INTERNAL_SWITCH_VERSION",
	"GOFLAGS", "GOEXPERIMENT", "GOWORK", "GO111MODULE", "GODEBUG",
	"GOOS", "GOARCH", "GOAMD64", "GOARM64", "CGO_ENABLED",
}

func runGo(command string, env []string, dir string, args ...string) (string, error) {
	cmd := exec.Command(command, args...)
	cmd.Dir = dir
	for _, kv := range os.Environ() {
		keep := true
		for _, name := range scrubbed {
			keep = keep && !strings.HasPrefix(kv, name+"=")
		}
		if keep {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	cmd.Env = append(cmd.Env, "PWD="+dir)
	cmd.Env = append(cmd.Env, env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w: %s", strings.Join(args, " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return strings.TrimRight(string(out), "\n"), nil
}
