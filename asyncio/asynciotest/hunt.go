package asynciotest

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// A hunt is an exploration by worker processes. Only the goroutine of the test uses it.
type hunt struct {
	*exploration
	*tally
	want    int // so many that fail are enough
	call    int
	workers []*worker
	share   int // of the processors, for each of them
	answers chan answer
	alone   seedSet           // each of them is asked for alone: one ends the process
	died    map[uint64]string // which do, and what is known
	differ  map[uint64]*reply // in strict mode: which are not the same twice
	skipped *reply
	strict  *strictly // nil: not strict
	stopped bool      // by an interrupt

	stopping bool          // there is no time for more
	patient  time.Duration // for so long with a seed
}

// A worker is a process of the test's program.
type worker struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	output tail
	doing  *span // what it was asked for; nil: nothing
	asked  time.Time
	slow   *reply // which seed it told of that takes long
	slowly time.Time
	first  *reply         // of a seed that is run twice
	chunk  uint64         // how many seeds take about a tenth of a second
	reads  sync.WaitGroup // what it says
}

// An answer is what the process of w says; nil: it has ended.
type answer struct {
	w *worker
	*reply
}

// calls counts the calls of Explore with workers of each test that runs.
var calls = struct {
	sync.Mutex
	of map[string]int
}{of: make(map[string]int)}

// callOf returns which call of Explore with workers in its test this is, counted from one.
func callOf(t testing.TB) int {
	calls.Lock()
	defer calls.Unlock()
	name := t.Name()
	if calls.of[name] == 0 {
		t.Cleanup(func() {
			calls.Lock()
			defer calls.Unlock()
			delete(calls.of, name)
		})
	}
	calls.of[name]++
	return calls.of[name]
}

// workerName is what workerVar says: which call of Explore in which test.
func workerName(call int, test string) string { return fmt.Sprint(call, " ", test) }

// pattern returns what go test's -run takes for the test of that name alone.
func pattern(name string) string {
	parts := strings.Split(name, "/")
	for i, p := range parts {
		parts[i] = "^" + regexp.QuoteMeta(p) + "$"
	}
	return strings.Join(parts, "/")
}

// workerArgs are the flags of a worker: those of this process, but for what it must
// not do, too.
func (x *exploration) workerArgs() []string {
	args := slices.Clone(os.Args[1 : len(os.Args)-flag.NArg()])
	args = append(args, "-test.run="+pattern(x.t.Name()), "-test.skip=", "-test.list=", "-test.bench=", "-test.fuzz=", "-test.count=1", "-test.cpu=", "-test.v=false", "-test.shuffle=off",
		"-test.coverprofile=", "-test.cpuprofile=", "-test.memprofile=", "-test.blockprofile=", "-test.mutexprofile=", "-test.trace=", "-test.testlogfile=")
	left := time.Duration(0)
	if t, ok := x.t.(interface{ Deadline() (time.Time, bool) }); ok {
		if last, ok := t.Deadline(); ok {
			left = max(time.Second, time.Until(last))
		}
	}
	args = append(args, "-test.timeout="+left.String())
	return append(args, flag.Args()...)
}

// hunt runs the seeds by n worker processes.
func (x *exploration) hunt(n int, seeds span, call int) {
	x.t.Helper()
	h := &hunt{exploration: x, call: call, want: 1, answers: make(chan answer, 2*n), died: make(map[uint64]string), differ: make(map[uint64]*reply)}
	if v := os.Getenv(FailuresVar); v != "" {
		var err error
		if h.want, err = strconv.Atoi(v); err != nil || h.want < 1 {
			x.t.Fatalf("%s=%q: want a number above zero", FailuresVar, v)
		}
	}
	program, err := os.Executable()
	if err != nil {
		x.t.Fatal(err)
	}
	build, err := buildOf(program, os.Args[1:])
	if err == nil {
		h.tally, err = openTally(os.Getenv(StateVar), x.t.Name(), build, seeds)
	}
	if err != nil {
		x.t.Fatalf("%s: %v", StateVar, err)
		return
	}
	if os.Getenv(StrictVar) != "" {
		if h.strict, err = newStrictly(); err != nil {
			x.t.Fatalf("%s: %v", StrictVar, err)
			return
		}
		defer h.strict.remove()
	}
	defer h.end()
	processes := min(uint64(n), max(1, seeds.size()))
	h.share = max(1, runtime.GOMAXPROCS(0)/int(processes))
	for range processes {
		w := &worker{}
		if err := h.start(w); err != nil {
			x.t.Fatalf("a worker process cannot be started: %v", err)
			return
		}
		h.workers = append(h.workers, w)
	}
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt)
	defer signal.Stop(interrupted)
	tick := time.NewTicker(time.Second / 4)
	defer tick.Stop()
	shown := newProgress()
	defer shown.clear()
	h.patient = x.patience()
	left := x.timeLeft()
	late := time.NewTimer(left - min(left/10, 30*time.Second))
	defer late.Stop()
	for h.busy() && !h.stopping {
		select {
		case <-late.C:
			if !h.hangs() {
				continue // all goes on; the time is too short
			}
		case a := <-h.answers:
			if err := h.take(a); err != nil {
				shown.clear()
				x.t.Fatalf("%v", err)
				return
			}
		case <-tick.C:
			h.slow = h.slowest()
			shown.show(h.tally)
			if err := h.save(false); err != nil {
				x.t.Fatalf("%s: %v", StateVar, err)
				return
			}
		case <-interrupted:
			h.stopped = true
			signal.Stop(interrupted) // a second one ends the process
		}
	}
	shown.clear()
	if err := h.save(true); err != nil {
		x.t.Fatalf("%s: %v", StateVar, err)
		return
	}
	switch {
	case h.stopped:
		h.interrupted()
	case len(h.Failed) > 0:
		h.tell()
	case h.skipped != nil:
		x.t.Skip(strings.TrimSpace(h.skipped.Log))
	}
	x.reached = h.Reached
	x.logReached(h.asked.size())
}

// interrupted ends the process as an interrupt does, when all else is done.
func (h *hunt) interrupted() {
	h.t.Helper()
	next := "the same command goes on"
	if h.file == "" {
		next = StateVar + " names a file that a next time goes on from"
	}
	h.end()
	fmt.Fprintf(os.Stderr, "interrupted: %v; %s\n", h.tally, next)
	if self, err := os.FindProcess(os.Getpid()); err == nil && self.Signal(os.Interrupt) == nil {
		time.Sleep(time.Second) // it comes before that, if it is not ignored
	}
	h.t.FailNow()
}

// start starts the process of w.
func (h *hunt) start(w *worker) error {
	*w = worker{chunk: max(w.chunk, 1)}
	if h.strict != nil {
		w.cmd = h.strict.command(h.exploration, h.call)
	} else {
		program, err := os.Executable()
		if err != nil {
			return err
		}
		w.cmd = exec.Command(program, h.workerArgs()...)
		w.cmd.Env = append(os.Environ(), workerVar+"="+workerName(h.call, h.t.Name()))
		if os.Getenv("GOMAXPROCS") == "" { // the collectors of all would be in each other's way
			w.cmd.Env = append(w.cmd.Env, fmt.Sprint("GOMAXPROCS=", h.share))
		}
	}
	var err error
	w.cmd.Stderr = &w.output
	if w.in, err = w.cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := w.cmd.Start(); err != nil {
		return err
	}
	w.doing = &span{} // to come to Explore
	w.reads.Go(func() {
		if lines := bufio.NewReader(out); h.strict != nil {
			h.strict.read(w, lines, h.answers)
		} else {
			w.read(lines, h.answers)
		}
	})
	return nil
}

// read reads what the process says.
func (w *worker) read(lines *bufio.Reader, answers chan<- answer) {
	for {
		line, err := lines.ReadString('\n')
		if text, ok := strings.CutPrefix(line, mark); ok {
			var r reply
			if json.Unmarshal([]byte(text), &r) == nil {
				answers <- answer{w, &r}
				continue
			}
		}
		if err != nil {
			answers <- answer{w, nil}
			return
		}
		w.output.Write([]byte(line))
	}
}

// take notes what a worker says, and gives it something to do.
func (h *hunt) take(a answer) error {
	w := a.w
	if a.reply != nil && a.Slow != 0 {
		w.slow, w.slowly = a.reply, time.Now()
		return nil
	}
	w.slow = nil
	s := *w.doing
	switch {
	case a.reply == nil && s == span{}:
		return fmt.Errorf("a worker process has not come to Explore:\n%s", h.lastOf(w))
	case a.reply == nil:
		if s.size() == 1 {
			h.died[s.From] = "the process of the worker has ended:\n" + h.lastOf(w)
			h.note(reply{span: s, Fails: true})
		} else {
			h.alone = h.alone.add(s)
			h.lastOf(w)
		}
		w.doing = nil
		if _, more := h.next(w); more {
			return h.start(w)
		}
		return nil
	case a.Ready:
	case h.strict != nil && h.twice(w, a.reply):
		return w.ask(ask{span: s})
	default:
		h.note(*a.reply)
		if a.Skips {
			h.skipped = a.reply
		}
		if took := time.Since(w.asked); h.strict != nil {
			// Each seed is a run of the program anew.
		} else if took < 50*time.Millisecond {
			w.chunk = min(2*w.chunk, 1000)
		} else if took > 200*time.Millisecond {
			w.chunk = max(w.chunk/2, 1)
		}
	}
	w.doing = nil
	if s, ok := h.next(w); ok {
		return w.ask(ask{span: s})
	}
	return nil
}

// twice reports whether a seed is to be run again in strict mode, to compare. In a
// process that has run it once it would be another run. If they differ, r says so.
func (h *hunt) twice(w *worker, r *reply) bool {
	if h.check == 0 || r.To%uint64(h.check) != 0 || r.Fails || r.Skips {
		return false
	}
	if w.first == nil {
		w.first = r
		return true
	}
	if r.Hash != w.first.Hash || r.Log != w.first.Log {
		r.Fails, r.Differs = true, "not even in strict mode: it does what depends on something outside"
		h.differ[r.To] = r
	}
	w.first = nil
	return false
}

// lastOf waits for the process to end and returns what it has said last.
func (h *hunt) lastOf(w *worker) string {
	w.in.Close()
	w.reads.Wait()
	err := w.cmd.Wait()
	w.cmd = nil
	said := strings.TrimSpace(w.output.String())
	if lines := strings.Split(said, "\n"); len(lines) > 60 {
		said = strings.Join(append(lines[:30:30], append([]string{"..."}, lines[len(lines)-30:]...)...), "\n")
	}
	if err != nil {
		said += "\n" + err.Error()
	}
	return said
}

func (w *worker) ask(a ask) error {
	w.doing, w.asked = &a.span, time.Now()
	text, err := json.Marshal(a)
	if err == nil {
		w.in.Write(append(text, '\n')) // if it has ended, its answer says so
	}
	return err
}

// next returns what w is to do next: what the first failures leave of it.
func (h *hunt) next(w *worker) (span, bool) {
	if h.stopped || h.skipped != nil {
		return span{}, false
	}
	taken, seeds := h.Done, h.asked
	for _, w := range h.workers {
		if w.doing != nil && *w.doing != (span{}) {
			taken = taken.add(*w.doing)
		}
	}
	if len(h.Failed) >= h.want {
		seeds.To = min(seeds.To, h.Failed[h.want-1])
	}
	s, ok := taken.next(seeds, w.chunk)
	if ok && h.alone.within(s) > 0 {
		s.To = s.From
	}
	return s, ok
}

// busy reports whether any worker does anything that may matter: seeds after enough
// failures do not.
func (h *hunt) busy() bool {
	return slices.ContainsFunc(h.workers, func(w *worker) bool {
		return w.doing != nil && (len(h.Failed) < h.want || w.doing.From <= h.Failed[h.want-1])
	})
}

// late returns the seed that w has been busy with for long, for how long about, and
// where it is as far as is known.
func (h *hunt) late(w *worker) (seed uint64, took time.Duration, where string, ok bool) {
	switch {
	case w.doing == nil || *w.doing == span{}:
	case w.slow != nil && time.Since(w.slowly) < 3*h.patient:
		return w.slow.Slow, w.slow.Took, w.slow.Log, true
	case w.doing.size() == 1 && time.Since(w.asked) > h.patient:
		return w.doing.From, time.Since(w.asked), "", true
	}
	return 0, 0, "", false
}

// slowest says which seed takes long.
func (h *hunt) slowest() string {
	for _, w := range h.workers {
		if seed, took, _, ok := h.late(w); ok {
			return fmt.Sprintf("seed %d has not ended for %v", seed, took.Round(time.Second))
		}
	}
	return ""
}

// hangs counts the seeds that have not ended for long as failures, and ends their
// workers. It reports whether there are any.
func (h *hunt) hangs() (any bool) {
	for _, w := range h.workers {
		seed, took, where, ok := h.late(w)
		if !ok {
			continue
		}
		any = true
		h.died[seed] = fmt.Sprintf("it has not ended for %v, and the time of the test is nearly over\n%s", took.Round(time.Second/10), where)
		h.note(reply{span: span{seed, seed}, Fails: true})
		w.cmd.Process.Kill()
		w.doing = nil
		h.lastOf(w)
	}
	h.stopping = h.stopping || any
	return any
}

// tell fails the test: the first seed that fails, why, and how to run it again.
func (h *hunt) tell() {
	h.t.Helper()
	seed := h.Failed[0]
	r := h.differ[seed]
	if r == nil {
		r = &reply{Log: h.died[seed]}
	}
	if r.Log == "" && r.Differs == "" {
		r = h.explained(seed)
	}
	if min(len(h.Failed), h.want) > 1 {
		r.Explained += fmt.Sprintf("these fail, too: %s\n", strings.Trim(fmt.Sprint(h.Failed[1:min(len(h.Failed), h.want, 50)]), "[]"))
	}
	h.fail(seed, h.asked.size(), r)
}

// explained has a worker find out why a seed fails.
func (h *hunt) explained(seed uint64) *reply {
	for _, w := range h.workers {
		if w.cmd == nil || w.doing != nil {
			continue
		}
		if err := w.ask(ask{span: span{seed, seed}, Explain: true}); err != nil {
			return &reply{Log: err.Error()}
		}
		a := <-h.answers
		for a.w != w || a.reply != nil && a.Slow != 0 { // what others do has no interest any more
			a = <-h.answers
		}
		w.doing = nil
		if a.reply == nil {
			return &reply{Log: "the process of the worker has ended:\n" + h.lastOf(w)}
		}
		return a.reply
	}
	return &reply{}
}

// end ends the worker processes. Those that have nothing to do end by themselves.
func (h *hunt) end() {
	for _, w := range h.workers {
		if w.cmd == nil {
			continue
		}
		w.in.Close()
		if w.doing != nil {
			w.cmd.Process.Kill()
		}
		w.reads.Wait()
		w.cmd.Wait()
		w.cmd = nil
	}
}

// workersFor returns how many worker processes an exploration is to have; 0: none.
func workersFor(asked int) (int, error) {
	n := asked
	if v := os.Getenv(WorkersVar); v != "" {
		var err error
		if n, err = strconv.Atoi(v); err != nil || n < 0 {
			return 0, fmt.Errorf("%s=%q: want a number", WorkersVar, v)
		}
	} else if n == 0 && (os.Getenv(StateVar) != "" || os.Getenv(FailuresVar) != "" || os.Getenv(StrictVar) != "") {
		n = runtime.GOMAXPROCS(0)
	}
	if n == 0 && os.Getenv(StrictVar) != "" {
		n = 1
	}
	if n > 0 && (runtime.GOOS == "js" || runtime.GOOS == "wasip1") && os.Getenv(workerVar) == "" {
		return 0, nil // there are no processes
	}
	return n, nil
}
