package asynciotest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/asynciotest"
	"github.com/go-greenlet/greenlet/asyncio/simnet"
)

// needsProcesses skips the test where the test's program cannot run itself.
func needsProcesses(t *testing.T) {
	if runtime.GOOS == "js" || runtime.GOOS == "wasip1" || os.Getenv("TEST_EXEC") != "" || os.Getenv(asynciotest.SeedVar) != "" {
		t.Skip("no worker processes here")
	}
}

// ran has f leave a file for each seed in a folder that the test and its workers share,
// and returns a function that counts them.
func ran(t *testing.T) (note func(ctx context.Context), count func() int) {
	const variable = "ASYNCIOTEST_TEST_DIR"
	dir := os.Getenv(variable)
	if dir == "" {
		dir = t.TempDir()
		t.Setenv(variable, dir)
	}
	note = func(ctx context.Context) {
		os.WriteFile(filepath.Join(dir, fmt.Sprint(asynciotest.Rand(ctx).Uint64())), nil, 0o666)
	}
	return note, func() int {
		names, err := os.ReadDir(dir)
		require.NoError(t, err)
		return len(names)
	}
}

// named is a test with another name.
type named struct {
	testing.TB
	name string
}

func (n named) Name() string { return n.name }

func TestWorkersRunAll(t *testing.T) {
	needsProcesses(t)
	note, count := ran(t)
	d := &double{TB: t}
	asynciotest.Explore(logger{d}, 100, func(t testing.TB, ctx context.Context) {
		note(ctx)
		simnet.Sometimes(ctx, "yes", asynciotest.Rand(ctx).IntN(20) == 0)
		simnet.Sometimes(ctx, "no", false)
	}, asynciotest.WithWorkers(2), asynciotest.WithNetwork(simnet.Config{}))
	assert.Equal(t, 100, count())
	assert.Equal(t, []string{"in none of 100 seeds: no"}, d.told)
}

// Each worker has its share of the processors.
func TestWorkersShareProcessors(t *testing.T) {
	needsProcesses(t)
	t.Setenv("GOMAXPROCS", "")
	if os.Getenv("ASYNCIOTEST_WORKER") == "" {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(6))
	}
	asynciotest.Explore(t, 4, func(t testing.TB, _ context.Context) {
		assert.Equal(t, 3, runtime.GOMAXPROCS(0))
	}, asynciotest.WithWorkers(2))
}

// What is told is what one process would tell.
func TestWorkersFail(t *testing.T) {
	needsProcesses(t)
	for name, f := range map[string]func(t testing.TB, ctx context.Context){
		"order":     raced,
		"not twice": talk(notesAtRandom),
	} {
		t.Run(name, func(t *testing.T) {
			var told [2]string
			for i, workers := range []asynciotest.Option{asynciotest.WithWorkers(3), asynciotest.WithSeed(0)} {
				d := &double{TB: t}
				asynciotest.Explore(d, 100, f, workers, asynciotest.WithCheck(2), asynciotest.WithNetwork(simnet.Config{}))
				require.Len(t, d.told, 1)
				told[i] = d.told[0]
			}
			if name == "order" {
				assert.Equal(t, told[1], told[0])
			} else {
				assert.Contains(t, told[0], "seed 2 is not the same run twice")
				assert.Contains(t, told[0], "notesAtRandom")
			}
		})
	}
}

func TestWorkersShrink(t *testing.T) {
	needsProcesses(t)
	d := &double{TB: t}
	asynciotest.Explore(d, 30, testRegister, asynciotest.WithWorkers(2), asynciotest.WithNetwork(simnet.Config{}))
	require.Len(t, d.told, 1)
	assert.Contains(t, d.told[0], "the last events:")
	assert.Contains(t, d.told[0], "shrunk from ")
}

// A seed that ends the process is found among those that were asked for with it.
func TestWorkersDie(t *testing.T) {
	needsProcesses(t)
	d := &double{TB: t}
	asynciotest.Explore(d, 300, func(t testing.TB, ctx context.Context) {
		if asynciotest.Rand(ctx).IntN(100) == 0 {
			fmt.Fprintln(os.Stderr, "the last word")
			os.Exit(5)
		}
	}, asynciotest.WithWorkers(2))
	require.Len(t, d.told, 1)
	var first int
	for seed := uint64(1); first == 0; seed++ {
		require.NoError(t, asynciotest.Simulate(seed, func(ctx context.Context) error {
			if asynciotest.Rand(ctx).IntN(100) == 0 {
				first = int(seed)
			}
			return nil
		}))
	}
	assert.Contains(t, d.told[0], fmt.Sprintf("seed %d fails, of 300:\n    the process of the worker has ended:\n    the last word\n    exit status 5\n", first))
}

// deadlined is a test whose time is over at last.
type deadlined struct {
	testing.TB
	last time.Time
}

func (d deadlined) Deadline() (time.Time, bool) { return d.last, true }

// A seed that does not end is found before the test's time is over, and where it is.
func TestWorkersHang(t *testing.T) {
	needsProcesses(t)
	d := &double{TB: t}
	for _, left := range []time.Duration{6 * time.Second, 2 * time.Minute} { // a machine that is busy may not come to the seed in time
		d.told = nil
		asynciotest.Explore(deadlined{d, time.Now().Add(left)}, 300, func(t testing.TB, ctx context.Context) {
			if asynciotest.Rand(ctx).IntN(100) == 0 {
				hangsHere()
			}
		}, asynciotest.WithWorkers(2))
		require.Len(t, d.told, 1)
		if strings.Contains(d.told[0], "hangsHere") {
			break
		}
	}
	var first int
	for seed := uint64(1); first == 0; seed++ {
		require.NoError(t, asynciotest.Simulate(seed, func(ctx context.Context) error {
			if asynciotest.Rand(ctx).IntN(100) == 0 {
				first = int(seed)
			}
			return nil
		}))
	}
	assert.Regexp(t, fmt.Sprintf(`^seed %d fails, of 300:\n    it has not ended for [0-9m.]+s, and the time of the test is nearly over\n`, first), d.told[0])
	assert.Contains(t, d.told[0], "hangsHere")
}

func hangsHere() { select {} }

func TestWorkersDoNotCome(t *testing.T) {
	needsProcesses(t)
	if os.Getenv("ASYNCIOTEST_WORKER") != "" {
		t.Fatal("it cannot be")
	}
	d := &double{TB: t}
	asynciotest.Explore(d, 300, raced, asynciotest.WithWorkers(2))
	require.Len(t, d.told, 1)
	assert.Contains(t, d.told[0], "has not come to Explore")
	assert.Contains(t, d.told[0], "it cannot be")
}

func TestWorkersSkip(t *testing.T) {
	needsProcesses(t)
	asynciotest.Explore(t, 300, func(t testing.TB, ctx context.Context) { t.Skip("not here") }, asynciotest.WithWorkers(2))
	t.Error("it goes on")
}

// What is in the state file is not done again.
func TestWorkersGoOn(t *testing.T) {
	needsProcesses(t)
	note, count := ran(t)
	file := filepath.Join(t.TempDir(), "state")
	t.Setenv(asynciotest.StateVar, file)
	f := func(t testing.TB, ctx context.Context) {
		note(ctx)
		if asynciotest.Rand(ctx).IntN(10) == 0 {
			t.Fatal("one in ten")
		}
	}
	explore := func(seeds, failures string, total int) (told string) {
		t.Run("explore", func(t *testing.T) { // of the same name, whichever it is
			t.Setenv(asynciotest.SeedsVar, seeds)
			t.Setenv(asynciotest.FailuresVar, failures)
			d := &double{TB: named{t, t.Name()[:len("TestWorkersGoOn/explore")]}}
			asynciotest.Explore(d, 10, f, asynciotest.WithWorkers(2))
			assert.Equal(t, total, count())
			told = strings.Join(d.told, "\n")
		})
		return told
	}
	explore("50", "100", 50)
	told := explore("101-120", "100", 70)
	assert.Contains(t, told, "one in ten")
	assert.Contains(t, told, "these fail, too: ")
	explore("200", "200", 200)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	var state struct {
		Done   []struct{ From, To int }
		Failed []int
	}
	require.NoError(t, json.Unmarshal(text, &state))
	assert.Equal(t, []struct{ From, To int }{{1, 200}}, state.Done)
	assert.Greater(t, len(state.Failed), 5)

	require.NoError(t, os.WriteFile(file, []byte(`{"Test":"TestOther"}`), 0o666))
	assert.Contains(t, explore("50", "100", 200), "is of another test, TestOther")

	// A file that cannot be, of this program: seeds without a next one, out of order, and
	// failures that have not been run.
	build := regexp.MustCompile(`"Build":"[0-9a-f]+"`).FindString(string(text))
	for _, what := range []string{
		`"Done":[{"From":1,"To":18446744073709551615}]`, `"Done":[{"From":0,"To":5}]`, `"Done":[{"From":7,"To":5}]`,
		`"Done":[{"From":9,"To":10},{"From":1,"To":2}]`, `"Done":[{"From":1,"To":2}],"Failed":[3]`, `"Reached":null`,
	} {
		require.NoError(t, os.WriteFile(file, []byte(`{"Test":"TestWorkersGoOn/explore",`+build+`,`+what+`}`), 0o666))
		assert.Contains(t, explore("50", "100", 200), "is broken", what)
	}
	require.NoError(t, os.Remove(file))
	assert.Contains(t, explore("5-18446744073709551615", "100", 200), "want a number of seeds")
}

// An interrupt, here by one of its workers, ends the exploration, and the process with it.
func TestWorkersInterrupted(t *testing.T) {
	needsProcesses(t)
	if runtime.GOOS == "windows" {
		t.Skip("a process cannot interrupt another one")
	}
	if os.Getenv("ASYNCIOTEST_TEST_INTERRUPT") != "" {
		asynciotest.Explore(t, 1e9, func(t testing.TB, ctx context.Context) {
			if asynciotest.Rand(ctx).IntN(50) == 0 && os.Mkdir(os.Getenv(asynciotest.StateVar)+".once", 0o777) == nil { // a second one kills
				parent, err := os.FindProcess(os.Getppid())
				require.NoError(t, err)
				parent.Signal(os.Interrupt)
			}
			require.NoError(t, asyncio.Sleep(ctx, time.Hour))
		}, asynciotest.WithWorkers(2))
		return
	}
	file := filepath.Join(t.TempDir(), "state")
	// A shell has what it runs in the background ignore interrupts, and a child would, too;
	// of one that is heard here it has the default.
	heard := make(chan os.Signal, 1)
	signal.Notify(heard, os.Interrupt)
	defer signal.Stop(heard)
	c := exec.Command(os.Args[0], "-test.run=^TestWorkersInterrupted$")
	c.Env = append(os.Environ(), "ASYNCIOTEST_TEST_INTERRUPT=1", asynciotest.StateVar+"="+file)
	out, err := c.CombinedOutput()
	require.Error(t, err)
	assert.Contains(t, err.Error(), "interrupt")
	assert.Contains(t, string(out), "interrupted: TestWorkersInterrupted: ")
	assert.Contains(t, string(out), "the same command goes on")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Contains(t, string(text), `"Done":[{"From":1,`)
}
