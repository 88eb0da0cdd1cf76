// Command simwasm runs a program that was built for wasip1 (GOOS=wasip1 GOARCH=wasm) so
// that it does the same again and again, Go's runtime included: its random numbers and
// its clocks are made from a number, and time passes only by what it does. So the order
// of maps, of goroutines and of select, hashes, addresses and time.Now repeat, and another
// number gives others.
//
//	simwasm PROGRAM.wasm [ARGUMENT ...]
//
// It reads lines of JSON, {"From":17} say, and runs the program once for each, from its
// start, by that number and with the line as its standard input. After each it prints a
// line that ends {"Ended":true}. That is what strict mode of package asynciotest wants; see
// docs/simulation.md.
//
// The program sees the files of the system but cannot change them, apart from those in
// /tmp, which is empty when it starts. The first run of a program takes some seconds,
// because it is compiled; what was compiled is kept in the user's cache folder.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: simwasm PROGRAM.wasm [ARGUMENT ...]")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "simwasm:", err)
		os.Exit(1)
	}
}

// run runs the program args[0], with args, once for each line of in.
func run(ctx context.Context, args, env []string, in io.Reader, out, errs io.Writer) error {
	program, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	config := wazero.NewRuntimeConfig()
	if dir, err := os.UserCacheDir(); err == nil {
		if cache, err := wazero.NewCompilationCacheWithDir(filepath.Join(dir, "simwasm")); err == nil {
			defer cache.Close(ctx)
			config = config.WithCompilationCache(cache)
		}
	}
	r := wazero.NewRuntimeWithConfig(ctx, config)
	defer r.Close(ctx)
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, r); err != nil {
		return err
	}
	compiled, err := r.CompileModule(ctx, program)
	if err != nil {
		return err
	}
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		var asked struct{ From uint64 }
		if err := json.Unmarshal(line, &asked); err != nil {
			return fmt.Errorf("%q: %w", line, err)
		}
		if err := once(ctx, r, compiled, asked.From, args, env, line, out, errs); err != nil {
			return err
		}
		if _, err := fmt.Fprintf(out, "\n\x16asynciotest {\"Ended\":true}\n"); err != nil {
			return err
		}
	}
}

// once runs the program from its start. That it fails is its own affair.
func once(ctx context.Context, r wazero.Runtime, program wazero.CompiledModule, seed uint64, args, env []string, in []byte, out, errs io.Writer) error {
	temp, err := os.MkdirTemp("", "simwasm")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	const epoch = 946684800 * time.Second // 2000-01-01
	clock := &clock{epoch}
	config := wazero.NewModuleConfig().WithName("").WithArgs(append([]string{"program"}, args[1:]...)...).
		WithStdin(bytes.NewReader(in)).WithStdout(out).WithStderr(errs).
		WithRandSource(source(seed)).
		WithWalltime(clock.wall, 1000).WithNanotime(clock.nano, 1000).WithNanosleep(clock.sleep).WithOsyield(func() {}).
		WithFSConfig(wazero.NewFSConfig().WithReadOnlyDirMount("/", "/").WithDirMount(temp, "/tmp"))
	for _, e := range env {
		if name, value, ok := strings.Cut(e, "="); ok && name != "" && name != "TMPDIR" {
			config = config.WithEnv(name, value)
		}
	}
	m, err := r.InstantiateModule(ctx, program, config.WithEnv("TMPDIR", "/tmp"))
	if m != nil {
		m.Close(ctx)
	}
	var exit *sys.ExitError
	if errors.As(err, &exit) {
		return nil
	}
	if err != nil {
		fmt.Fprintln(errs, err)
	}
	return nil
}

// source returns the random numbers of a seed.
func source(seed uint64) io.Reader {
	var key [32]byte
	for i := range 8 {
		key[i] = byte(seed >> (8 * i))
	}
	return rand.NewChaCha8(key)
}

// A clock goes on by what it is asked for.
type clock struct{ now time.Duration }

// nano passes a microsecond each time, so that who waits for it to go on gets there.
func (c *clock) nano() int64 {
	c.now += time.Microsecond
	return int64(c.now)
}

func (c *clock) wall() (int64, int32) {
	now := c.nano()
	return now / int64(time.Second), int32(now % int64(time.Second))
}

func (c *clock) sleep(ns int64) { c.now += time.Duration(max(ns, 0)) }
