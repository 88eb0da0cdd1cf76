package greenlet_test

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet"
)

// leaf and branch wait for a switch, at lines of their own.
//
//go:noinline
func leaf() { greenlet.Current().Parent().Switch(nil) }

//go:noinline
func branch() { leaf() }

func profileOf(t *testing.T, debug int) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, greenlet.WriteProfile(&b, debug))
	return b.String()
}

// blocksOf returns the parts of a profile's text, between empty lines, that have all
// of these words.
func blocksOf(text string, words ...string) (found []string) {
blocks:
	for block := range strings.SplitSeq(text, "\n\n") {
		for _, w := range words {
			if !strings.Contains(block, w) {
				continue blocks
			}
		}
		found = append(found, block)
	}
	return found
}

func TestWriteProfile(t *testing.T) {
	main := ownTree(t)
	var kept []*greenlet.Greenlet
	for range 3 {
		g := greenlet.New(func(any) (any, error) { branch(); return nil, nil }, greenlet.WithName("lea\nf"))
		g.Switch(nil)
		kept = append(kept, g)
	}
	other := greenlet.New(func(any) (any, error) { main.Switch(nil); return nil, nil })
	other.Switch(nil)
	fresh := greenlet.New(func(any) (any, error) { return nil, nil })
	running := greenlet.New(func(any) (any, error) { return profileOf(t, 2), nil })

	each, err := running.Switch(nil)
	require.NoError(t, err)
	text := each.(string)
	for _, g := range append(kept, other) {
		assert.Len(t, blocksOf("\n\n"+text, fmt.Sprintf("greenlet %d ", g.ID())), 1, "%v", g)
	}
	for _, g := range []*greenlet.Greenlet{main, fresh, running} {
		assert.Empty(t, blocksOf(text, fmt.Sprintf("greenlet %d ", g.ID())), "%v", g)
	}
	block := blocksOf(text, fmt.Sprintf("greenlet %d ", kept[0].ID()))[0]
	assert.Regexp(t, `^greenlet \d+ "lea\\nf" \[suspended, of goroutine \d+\]:
github.com/go-greenlet/greenlet_test.leaf
	.*writeprofile_test.go:\d+
github.com/go-greenlet/greenlet_test.branch
	.*writeprofile_test.go:\d+
github.com/go-greenlet/greenlet_test.TestWriteProfile.func\d+
	.*writeprofile_test.go:\d+$`, block)

	grouped := profileOf(t, 1)
	assert.Regexp(t, `^greenlet profile: total \d+\n`, grouped)
	found := blocksOf(grouped, `# labels: {"name":"lea\nf", "goroutine":"`)
	require.Len(t, found, 1)
	assert.Contains(t, found[0], "3 @")
	assert.Regexp(t, `(?m)^#	github.com/go-greenlet/greenlet_test.leaf	.*writeprofile_test.go:\d+$`, found[0])

	p, err := parseProfile(strings.NewReader(profileOf(t, 0)))
	require.NoError(t, err)
	assert.Contains(t, p.stacks(), []string{"leaf", "branch", "func1"})
	assert.Subset(t, p.strings, []string{"greenlets", "count", "name", "lea\nf", "goroutine"})
	runtime.KeepAlive(kept)
}

func TestWriteProfileAbandoned(t *testing.T) {
	var wg sync.WaitGroup
	defer wg.Wait()
	end := make(chan bool)
	defer close(end)
	ready := make(chan bool)
	wg.Add(1)
	go func() { // which does not switch
		defer wg.Done()
		defer greenlet.Close()
		greenlet.Current()
		abandon(func(wait func()) error { branchOf(wait); return nil }, greenlet.WithName("lost"))
		greenlet.Collect() // grows old, and ends
		abandon(func(wait func()) error { branchOf(wait); return nil }, greenlet.WithName("lost too"))
		abandon(func(wait func()) error { branchOf(wait); return nil }, greenlet.WithName("grown"))
		var old *greenlet.Greenlet
		for g := range greenlet.All() {
			if g.Name() == "grown" {
				old = g
			}
		}
		ready <- true
		<-end
		runtime.KeepAlive(old)
	}()
	<-ready
	assert.NotContains(t, profileOf(t, 1), `"lost"`)
	assert.Len(t, blocksOf(profileOf(t, 1), `"lost too", "goroutine"`), 1, "it is young")
	assert.Len(t, blocksOf(profileOf(t, 1), `"grown", "goroutine"`), 1)
}

//go:noinline
func branchOf(wait func()) { wait() }

// A coroutine of Pull belongs to nobody when it is paused.
func TestWriteProfilePull(t *testing.T) {
	ownTree(t)
	next, stop := greenlet.Pull(sequenceOfOne)
	defer stop()
	assert.Empty(t, blocksOf(profileOf(t, 2), "sequenceOfOne"))
	next()
	assert.Len(t, blocksOf(profileOf(t, 2), "sequenceOfOne"), 1)
	next()
	assert.Empty(t, blocksOf(profileOf(t, 2), "sequenceOfOne"))
}

func sequenceOfOne(yield func(int) bool) { yield(1) }

// forgottenSequence is another one, of a test that stops only half of them: those would be
// in the profiles of the tests after it.
func forgottenSequence(yield func(int) bool) { yield(1) }

// Those that wait for a channel are no suspended ones.
func TestWriteProfileBlocked(t *testing.T) {
	in, end, over := make(chan bool), make(chan bool), make(chan bool)
	go func() {
		defer close(over)
		defer greenlet.Close()
		main := greenlet.Current()
		greenlet.New(func(any) (any, error) {
			main.Switch(nil)
			close(in)
			<-end
			return nil, nil
		}, greenlet.WithName("blocked")).Switch(nil)
		for g := range greenlet.All() {
			if g.Name() == "blocked" && g.Owned() {
				g.Switch(nil)
			}
		}
	}()
	<-in
	assert.Empty(t, blocksOf(profileOf(t, 2), `"blocked"`))
	close(end)
	<-over
}

type failingWriter struct{}

var errFailing = errors.New("failing")

func (failingWriter) Write([]byte) (int, error) { return 0, errFailing }

func TestWriteProfileError(t *testing.T) {
	for debug := range 3 {
		if debug == 2 {
			main := ownTree(t)
			g := greenlet.New(func(any) (any, error) { return main.Switch(nil) })
			g.Switch(nil)
			defer g.Kill()
		}
		assert.ErrorIs(t, greenlet.WriteProfile(failingWriter{}, debug), errFailing)
	}
}

// Greenlets of other goroutines begin, switch and end meanwhile.
func TestWriteProfileWhileTheyRun(t *testing.T) {
	var wg sync.WaitGroup
	defer wg.Wait()
	end := make(chan bool)
	defer close(end)
	for range 2 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			defer greenlet.Close()
			main := greenlet.Current()
			var all []*greenlet.Greenlet
			for i := 0; ; i++ {
				select {
				case <-end:
					return
				default:
				}
				g := greenlet.New(func(any) (any, error) { main.Switch(nil); main.Switch(nil); return nil, nil })
				g.Switch(nil)
				all = append(all, g)
				if len(all) > 20 {
					all[i%20].Switch(nil)
					all[i%20].Switch(nil)
					all[i%20] = all[20]
					all = all[:20]
				}
				next, stop := greenlet.Pull(forgottenSequence)
				next()
				if i%2 == 0 {
					stop()
				}
				runtime.Gosched()
			}
		}()
	}
	n := 50
	if testing.Short() {
		n = 5
	}
	for range n {
		seen := make(map[string]bool)
		for block := range strings.SplitSeq(profileOf(t, 2), "\n\n") {
			if words := strings.Fields(block); len(words) > 1 {
				require.False(t, seen[words[1]], "twice: %s", block)
				seen[words[1]] = true
			}
		}
	}
}
