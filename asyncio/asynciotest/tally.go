package asynciotest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A tally is what is known of an exploration: what StateVar's file has, as JSON.
type tally struct {
	Test    string
	Build   string // which program it is: a seed is good for no other
	Done    seedSet
	Failed  []uint64       // of those that are done
	Reached map[string]int // by Sometimes

	file  string
	asked span
	began time.Time
	had   uint64    // how many were done before
	saved time.Time // when
	slow  string    // what takes long
}

// openTally reads the file, if there is one and it is of the same test of the same
// program.
func openTally(file, test, build string, asked span) (*tally, error) {
	fresh := tally{Test: test, Build: build, Reached: make(map[string]int), file: file, asked: asked, began: time.Now()}
	if file == "" {
		return &fresh, nil
	}
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return &fresh, nil
	}
	if err != nil {
		return nil, err
	}
	had := fresh
	if err := json.Unmarshal(text, &had); err != nil {
		return nil, fmt.Errorf("%s is not of an exploration: %w", file, err)
	}
	if had.Test != test {
		return nil, fmt.Errorf("%s is of another test, %s", file, had.Test)
	}
	if had.Build != build {
		return &fresh, nil
	}
	if !had.valid() {
		return nil, fmt.Errorf("%s is broken; without it, all begins anew", file)
	}
	had.had = had.Done.within(asked)
	return &had, nil
}

// valid reports whether y, which comes from a file, can be gone on from.
func (y *tally) valid() bool {
	for i, seed := range y.Failed {
		if y.Done.within(span{seed, seed}) != 1 || i > 0 && seed <= y.Failed[i-1] {
			return false
		}
	}
	return y.Done.valid() && y.Reached != nil
}

// buildOf returns what tells this program, with its flags, from others.
func buildOf(program string, flags []string) (string, error) {
	f, err := os.Open(program)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	for _, flag := range flags {
		if !strings.HasPrefix(flag, "-test.") && !strings.HasPrefix(flag, "--test.") {
			fmt.Fprintf(h, "%q", flag)
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:16]), nil
}

// note adds what a worker has answered.
func (y *tally) note(r reply) {
	y.Done = y.Done.add(r.span)
	for name, times := range r.Reached {
		y.Reached[name] += times
	}
	if r.Fails {
		y.Failed = append(y.Failed, r.To)
		slices.Sort(y.Failed)
	}
}

// save writes the file, if there is to be one: now, or if the last time was long ago.
func (y *tally) save(now bool) error {
	if y.file == "" || !now && time.Since(y.saved) < time.Second {
		return nil
	}
	y.saved = time.Now()
	text, err := json.Marshal(y)
	if err != nil {
		return err
	}
	// In one piece: who is interrupted here must find what was there before.
	part := filepath.Join(filepath.Dir(y.file), ".part-"+filepath.Base(y.file))
	if err := os.WriteFile(part, append(text, '\n'), 0o666); err != nil {
		return err
	}
	return os.Rename(part, y.file)
}

// String is the line of progress.
func (y *tally) String() string {
	done, all := y.Done.within(y.asked), y.asked.size()
	line := fmt.Sprintf("%s: %d of %d seeds, %d fail", y.Test, done, all, len(y.Failed))
	if fresh := done - y.had; fresh > 0 && done < all {
		left := time.Duration(float64(time.Since(y.began)) / float64(fresh) * float64(all-done))
		line += fmt.Sprintf(", %v to go", max(left, time.Second).Round(time.Second))
	}
	if y.slow != "" {
		line += ", " + y.slow
	}
	if names := never(y.Reached); len(names) > 0 {
		line += ", never yet: " + strings.Join(names, "; ")
	}
	return line
}

// A progress shows how far an exploration is, on standard error: on a terminal in one
// line that changes, elsewhere in a line now and then.
type progress struct {
	terminal bool
	shown    time.Time
	width    int
}

func newProgress() *progress {
	p := &progress{shown: time.Now()}
	if about, err := os.Stderr.Stat(); err == nil {
		p.terminal = about.Mode()&fs.ModeCharDevice != 0
	}
	return p
}

func (p *progress) show(y *tally) {
	every := 30 * time.Second
	if p.terminal {
		every = time.Second / 4
	}
	if time.Since(p.shown) < every {
		return
	}
	p.shown = time.Now()
	line := y.String()
	if !p.terminal {
		fmt.Fprintln(os.Stderr, line)
		return
	}
	if runes := []rune(line); len(runes) > 110 {
		line = string(runes[:109]) + "…"
	}
	fmt.Fprintf(os.Stderr, "\r%-*s", p.width, line)
	p.width = len(line)
}

// clear takes the line off the terminal.
func (p *progress) clear() {
	if p.width > 0 {
		fmt.Fprintf(os.Stderr, "\r%*s\r", p.width, "")
		p.width = 0
	}
}
