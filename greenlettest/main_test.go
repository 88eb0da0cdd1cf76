package greenlettest

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/go-greenlet/greenlet"
)

func TestMain(m *testing.M) { Main(m) }

// tests is what Main runs: a function that returns the exit code.
type tests func() int

func (f tests) Run() int { return f() }

func TestMainOfAPackage(t *testing.T) {
	release := make(chan bool)
	var left *greenlet.Greenlet
	waits := func(any) (any, error) { return greenlet.Current().Parent().Switch(nil) }
	for what, of := range map[string]struct {
		tests    tests
		patience time.Duration
		code     int
		says     string
	}{
		"nothing is left": {func() int { return 0 }, time.Minute, 0, ""},
		"what it left has an end": {func() int {
			greenlet.New(waits).Switch(nil) // of this goroutine, whose tree is closed
			go func() { time.Sleep(time.Millisecond) }()
			return 0
		}, time.Minute, 0, ""},
		"it has failed, and that is all": {func() int {
			go func() { <-release }()
			return 3
		}, 0, 3, ""},
		"a goroutine": {func() int {
			go func() { <-release }()
			return 0
		}, 0, 1, "something lacks Close?"},
		"a greenlet of another goroutine": {func() int {
			made := make(chan bool)
			go func() {
				defer greenlet.Close()
				left = greenlet.New(waits)
				left.Switch(nil)
				close(made)
				<-release
			}()
			<-made
			return 0
		}, 0, 1, "something lacks Close?"},
	} {
		t.Run(what, func(t *testing.T) {
			var said strings.Builder
			assert.Equal(t, of.code, exitCode(of.tests, &said, of.patience))
			if of.says == "" {
				assert.Empty(t, said.String())
			} else {
				assert.Contains(t, said.String(), "FAIL: after the tests ")
				assert.Contains(t, said.String(), of.says)
				assert.Contains(t, said.String(), "goroutine profile: ")
			}
		})
	}
	close(release)
	_ = left
}
