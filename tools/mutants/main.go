// Mutants shows which test notices which gate of the switch.
//
// It drops each gate of the assembly switch and of the Go side of its protocol,
// one at a time, and swaps each pair of neighbouring stores; runs the tests on each
// such mutant, the cheapest first, until one dies; and prints which. A mutant
// that no test notices must be in known.txt with a reason.
//
// All mutants are in one test program, which is told by an environment variable
// which of them to be. It is built with an overlay: no file of the tree is
// changed.
//
// It runs in its own folder, as "make mutants" does, on linux and amd64 only.
// With -sample n it takes n mutants, always the same, and looks only whether the
// test dies that known.txt names.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	root      = "../.." // the module
	switching = "switch_amd64.s"
	variable  = "GREENLET_MUTANT"
)

// goFiles are the Go side of the protocol.
var goFiles = []string{
	"claim.go", "pair.go", "float.go", "switch.go", "carrier.go", "pull.go", "push.go", "switch_asm.go", "switch_generic.go",
	"internal/rt/park.go", "internal/rt/trace.go",
}

// A mutant is the module with one thing changed.
type mutant struct {
	n      int
	id     string
	file   string
	line   int
	goCode bool
	entry  string // of the assembly that it changes
	code   []instruction
	source string // the file as if it were really changed; or "" if its lines are the same

	died string // the test that did
	how  string
	took time.Duration
}

// knownFile is the list of what is known.
var knownFile = "known.txt"

func main() {
	log.SetFlags(0)
	log.SetPrefix("mutants: ")
	var o options
	flag.IntVar(&o.sample, "sample", 0, "take so many mutants, always the same, and run the test that is known only")
	flag.StringVar(&o.only, "run", "", "take the mutants whose name matches this expression")
	flag.BoolVar(&o.list, "list", false, "run nothing, print the mutants")
	flag.BoolVar(&o.survivors, "survivors", false, "take those that are known to survive, which are passed over else")
	flag.StringVar(&knownFile, "known", knownFile, "the list of what is known")
	flag.BoolVar(&o.write, "write", false, "write what has been found to "+knownFile)
	flag.IntVar(&o.jobs, "j", 1, "try so many mutants at a time")
	flag.StringVar(&o.stages, "stages", "", "run only these stages of the tests, a list")
	flag.StringVar(&o.dir, "dir", "", "keep the test programs in this folder, and take those that are there already")
	flag.Parse()
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		fmt.Println("skipped: the mutants are those of the switch on linux and amd64")
		return
	}
	if err := o.run(); err != nil {
		log.Fatal(err)
	}
}

type options struct {
	sample, jobs           int
	only, stages, dir      string
	list, survivors, write bool
}

func (o *options) run() error {
	dir := o.dir
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "greenlet-mutants"); err != nil {
			return err
		}
		defer os.RemoveAll(dir)
	}
	all, overlay, err := breed()
	if err != nil {
		return err
	}
	known, err := readKnown(all)
	if err != nil && !o.write {
		return err
	}
	chosen, err := o.choose(all, known)
	if err != nil {
		return err
	}
	if o.list {
		for _, m := range chosen {
			fmt.Printf("%s:%d\t%s\n", m.file, m.line, m.id)
		}
		return nil
	}
	begin := time.Now()
	if o.stages != "" {
		stages = slices.DeleteFunc(stages, func(s stage) bool { return !slices.Contains(strings.Split(o.stages, ","), s.name) })
	}
	b := &bench{dir: dir, quick: o.sample > 0}
	if err = b.build(overlay); err != nil {
		return err
	}
	fmt.Printf("%d of %d mutants, built in %.0f s\n", len(chosen), len(all), time.Since(begin).Seconds())
	if !b.quick {
		if err := b.sound(); err != nil {
			return err
		}
	}
	var (
		mu        sync.Mutex // guards what follows
		bad, done int
		failure   error
		workers   sync.WaitGroup
	)
	queue := make(chan *mutant, len(chosen))
	for _, m := range chosen {
		queue <- m
	}
	close(queue)
	for range o.jobs {
		workers.Go(func() {
			for m := range queue {
				mu.Lock()
				k := known[m.id]
				mu.Unlock()
				b.kill(m, k.test)
				verdict, asKnown := b.verdict(m, k)
				mu.Lock()
				done++
				if !asKnown {
					bad++
				}
				fmt.Printf("%3d of %d  %5.1f s  %s:%d  %s\n\t\t%s\n", done, len(chosen), m.took.Seconds(), m.file, m.line, m.id, verdict)
				if o.write && m.died != "" {
					known[m.id] = fate{test: m.died}
				} else if o.write && k.reason == "" {
					delete(known, m.id)
				}
				if o.write {
					failure = errors.Join(failure, writeKnown(all, known))
				}
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	if failure != nil {
		return failure
	}
	fmt.Printf("%d mutants in %.0f s, %d of them not as known\n", len(chosen), time.Since(begin).Seconds(), bad)
	if bad > 0 {
		return fmt.Errorf("%d mutants need a test, or a line in %s", bad, knownFile)
	}
	return nil
}

// verdict says what has become of a mutant, and reports whether that was known.
func (b *bench) verdict(m *mutant, k fate) (says string, asKnown bool) {
	says = m.died
	switch {
	case m.died != "" && k.reason != "":
		says += ", though it is known to survive"
	case m.died != "":
		asKnown = true
	case k.reason != "":
		says, asKnown = "SURVIVED, as is known: "+k.reason, true
	case b.onlyText(m):
		says = "SURVIVED: dies only by its text"
	default:
		says = "SURVIVED"
	}
	if m.how != "" {
		says += " (" + m.how + ")"
	}
	return says, asKnown
}

// breed makes the mutants, and the files that contain them all.
func breed() (all []*mutant, overlay map[string]string, err error) {
	overlay = make(map[string]string)
	source, err := os.ReadFile(filepath.Join(root, switching))
	if err != nil {
		return nil, nil, err
	}
	all = assemblyMutants(switching, string(source))
	for i, m := range all {
		m.n = i + 1
	}
	n := len(all)
	for _, name := range goFiles {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return nil, nil, err
		}
		mutated, mutants, err := goMutants(name, string(text), func() int { n++; return n })
		if err != nil {
			return nil, nil, err
		}
		slices.SortStableFunc(mutants, func(a, b *mutant) int { return a.line - b.line })
		overlay[name] = mutated
		all = append(all, mutants...)
	}
	overlay[switching] = mutatedAssembly(string(source), all)
	overlay["internal/rt/mutant.go"] = fmt.Sprintf(`package rt

import ("os"; "strconv")

// Mutant is which mutant this program is.
var Mutant, _ = strconv.Atoi(os.Getenv(%q))
`, variable)
	var names []string
	for _, e := range parseAssembly(string(source)) {
		pc := strings.TrimSuffix(e.name, "Text") + "PC"
		if strings.Contains(string(source), "·"+pc+"(SB)") {
			names = append(names, fmt.Sprintf("%q: &%s", e.name, pc))
		}
	}
	entries := make([]string, n+1)
	for _, m := range all {
		entries[m.n] = m.entry
	}
	overlay["mutant_overlay.go"] = fmt.Sprintf(`package greenlet

import "github.com/go-greenlet/greenlet/internal/rt"

var mutant = rt.Mutant

var mutantCode [%d]uintptr

func init() {
	if mutantCode[mutant] != 0 {
		*map[string]*uintptr{%s}[%#v[mutant]] = mutantCode[mutant]
	}
}
`, n+1, strings.Join(names, ", "), entries)
	return all, overlay, nil
}

// choose are the mutants that are asked for.
func (o *options) choose(all []*mutant, known map[string]fate) ([]*mutant, error) {
	match, err := regexp.Compile(o.only)
	if err != nil {
		return nil, err
	}
	chosen := slices.DeleteFunc(slices.Clone(all), func(m *mutant) bool {
		k := known[m.id]
		return !match.MatchString(m.id) || o.survivors != (k.reason != "") && !o.list || o.sample > 0 && k.test == ""
	})
	if o.sample > 0 && o.sample < len(chosen) {
		hash := func(m *mutant) uint64 {
			h := fnv.New64a()
			h.Write([]byte(m.id))
			return h.Sum64()
		}
		slices.SortFunc(chosen, func(a, b *mutant) int {
			return strings.Compare(fmt.Sprintf("%016x", hash(a)), fmt.Sprintf("%016x", hash(b)))
		})
		chosen = chosen[:o.sample]
		slices.SortFunc(chosen, func(a, b *mutant) int { return a.n - b.n })
	}
	return chosen, nil
}

// A bench is where mutants are tried.
type bench struct {
	dir    string
	quick  bool
	limits map[string]time.Duration
}

func (b *bench) program(of string) string { return filepath.Join(b.dir, of+".test") }

// build builds the test programs that contain all mutants.
func (b *bench) build(overlay map[string]string) error {
	top, err := filepath.Abs(root)
	if err != nil {
		return err
	}
	replace := make(map[string]string)
	for name, text := range overlay {
		file := filepath.Join(b.dir, strings.ReplaceAll(name, "/", "-"))
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			return err
		}
		replace[filepath.Join(top, name)] = file
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return err
	}
	file := filepath.Join(b.dir, "overlay.json")
	if err := os.WriteFile(file, list, 0o666); err != nil {
		return err
	}
	programs := map[string]string{"greenlet": ".", "sched": "./sched"}
	if b.quick {
		delete(programs, "sched")
	}
	for name, pkg := range programs {
		if _, err := os.Stat(b.program(name)); err == nil {
			continue
		}
		cmd := exec.Command("go", "test", "-c", "-vet=off", "-overlay", file, "-o", b.program(name), pkg)
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%v: %w\n%s", cmd, err, out)
		}
	}
	return nil
}

// A stage is a run of a test program.
type stage struct {
	name    string
	program string
	in      string // folder
	args    []string
	env     []string
	goOnly  bool // for mutants of Go code
	asmOnly bool // for those of the assembly
}

// Tests that build programs of the tree, or read it, see no mutant.
const blind = `TestSwitchIsInlined|TestFacesAreInlined|TestLaws|TestDocLinks|TestDocBlocks|TestFirstProgram|TestClaimModel`

// Those that take longest.
const slow = `TestStateAtEveryInstruction|TestProfileAtEveryInstruction|TestDeadlock|TestYieldWhileAbandonedAreEnded|TestHammer|TestHotPotato|TestMarkingStaysInAssembly|TestNothingGrows|TestPullWhileLookedAt|TestCPUProfile|TestDraft|TestFramesStay|TestPullIsNotAbandoned|TestOracleOfGeneratorsReachesEverything|TestPullInItsLastCall|FuzzOracle|TestWaitingTimeEnds`

var stages = []stage{
	{name: "looks", program: "greenlet", args: []string{"-test.short", "-test.run", "^(TestGatesOfSwitch|TestGatesOfCall|TestGatesOfBack|TestStateAtEveryInstruction)$"}, asmOnly: true},
	{name: "units", program: "greenlet", args: []string{"-test.short", "-test.skip", "^(" + blind + "|" + slow + ")"}},
	{name: "slow", program: "greenlet", args: []string{"-test.short", "-test.run", "^(" + slow + ")"}},
	{name: "generic", program: "greenlet", args: []string{"-test.short", "-test.skip", "^(" + blind + "|" + slow + ")"}, env: []string{"GREENLET_BACKEND=generic"}, goOnly: true},
	{name: "stubborn", program: "greenlet", args: []string{"-test.short", "-test.run", "^TestPreempt$"}, env: []string{"GODEBUG=asyncpreemptoff=1"}, asmOnly: true},
	{name: "stress", program: "greenlet", args: []string{"-test.run", "^Test(Hammer|HotPotato|Marking|Pull|Locked|Preempt|TraceLeaves|GoroutineProfile|ProfileAtEvery)"},
		env: []string{"GOGC=1", "GODEBUG=clobberfree=1", "GREENLET_HAMMER=3s"}},
	{name: "sched", program: "sched", in: "sched", args: []string{"-test.short"}},
}

// sound makes sure that the tests pass where there is no mutant, and measures how
// long they take.
func (b *bench) sound() error {
	b.limits = make(map[string]time.Duration)
	for _, s := range stages {
		begin := time.Now()
		if test, how := b.try(s, 0, 5*time.Minute); test != "" {
			return fmt.Errorf("without a mutant %s fails: %s %s", s.name, test, how)
		}
		took := time.Since(begin)
		b.limits[s.name] = min(10*time.Second+3*took, max(40*time.Second, 2*took))
		fmt.Printf("without a mutant %s: %.1f s\n", s.name, took.Seconds())
	}
	return nil
}

// kill runs the tests until one dies, the one that is known first.
func (b *bench) kill(m *mutant, known string) {
	begin := time.Now()
	defer func() { m.took = time.Since(begin) }()
	if known != "" {
		name, where, _ := strings.Cut(known, " in ")
		for _, s := range stages {
			if s.name == where || where == "" && s.name == "units" {
				if name != "TestMain" {
					s.args = append(without(s.args, "-test.run", "-test.skip"), "-test.run", "^"+name+"$")
				}
				for range 3 { // it may be a matter of chance
					if m.died, m.how = b.try(s, m.n, 15*time.Second); m.died != "" {
						m.died = known
						return
					}
				}
			}
		}
		if b.quick {
			m.how = "not by " + known
			return
		}
	}
	if b.quick {
		return
	}
	for _, s := range stages {
		if s.goOnly && !m.goCode || s.asmOnly && m.goCode {
			continue
		}
		if m.died, m.how = b.try(s, m.n, b.limits[s.name]); m.died != "" {
			if s.env != nil || s.program != "greenlet" {
				m.died += " in " + s.name
			}
			return
		}
	}
}

func without(args []string, flags ...string) (rest []string) {
	for i := 0; i < len(args); i++ {
		if slices.Contains(flags, args[i]) {
			i++
			continue
		}
		rest = append(rest, args[i])
	}
	return rest
}

// onlyText reports whether TestClaimModel, which looks for lines of the source,
// misses one in the mutant's.
func (b *bench) onlyText(m *mutant) bool {
	if m.source == "" {
		return false
	}
	dir, err := os.MkdirTemp(b.dir, "text")
	if err != nil {
		return false
	}
	for _, name := range append([]string{switching}, goFiles...) {
		text, _ := os.ReadFile(filepath.Join(root, name))
		if name == m.file {
			text = []byte(m.source)
		}
		os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o777)
		os.WriteFile(filepath.Join(dir, name), text, 0o666)
	}
	cmd := exec.Command(b.program("greenlet"), "-test.run", "^TestClaimModel$", "-test.short")
	cmd.Dir = dir
	return cmd.Run() != nil
}

var (
	started = regexp.MustCompile(`(?m)^=== (?:RUN|CONT)\s+([^\s/]+)`)
	failed  = regexp.MustCompile(`(?m)^--- FAIL: ([^\s/]+)`)
	fatal   = regexp.MustCompile(`(?m)^(?:panic:|fatal error:|SIG\w+:|runtime: |unexpected fault).*`)
)

// try runs a stage and tells which test died, and how.
func (b *bench) try(s stage, n int, limit time.Duration) (test, how string) {
	cmd := exec.Command(b.program(s.program), append([]string{"-test.v", "-test.failfast", "-test.timeout", limit.String()}, s.args...)...)
	cmd.Dir = filepath.Join(root, s.in)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", variable, n))
	cmd.Env = append(cmd.Env, s.env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	ownGroup(cmd)
	if err := cmd.Start(); err != nil {
		return "?", err.Error()
	}
	// A mutant that spins may keep the test's own deadline from coming.
	timer := time.AfterFunc(limit+5*time.Second, func() { killGroup(cmd) })
	cmd.WaitDelay = 5 * time.Second
	err := cmd.Wait()
	hung := !timer.Stop()
	killGroup(cmd)
	if err == nil {
		return "", ""
	}
	text := out.String()
	if m := failed.FindStringSubmatch(text); m != nil {
		return m[1], ""
	}
	how = "deadline"
	if m := fatal.FindString(text); m != "" {
		how = m
	} else if !hung {
		how = err.Error()
	}
	if strings.HasPrefix(how, "panic: test timed out") {
		how = "deadline"
	}
	all := started.FindAllStringSubmatch(text, -1)
	if len(all) == 0 || strings.Contains(text, "\nPASS\n") {
		return "TestMain", how
	}
	return all[len(all)-1][1], how
}
