package greenlettest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/greenlettest"
)

// A spy is a test that Leaks looks at: it keeps what it is told.
type spy struct {
	testing.TB
	cleanups []func()
	errors   []string
}

func (s *spy) Helper()                   {}
func (s *spy) Cleanup(f func())          { s.cleanups = append(s.cleanups, f) }
func (s *spy) Errorf(f string, a ...any) { s.errors = append(s.errors, fmt.Sprintf(f, a...)) }
func (s *spy) end() []string {
	for _, f := range s.cleanups {
		f()
	}
	return s.errors
}

// waits is a greenlet's body that waits.
func waits(any) (any, error) { return greenlet.Current().Parent().Switch(nil) }

func TestLeaks(t *testing.T) {
	defer greenlet.Close()
	old := greenlet.New(waits, greenlet.WithName("old"))
	old.Switch(nil)

	s := &spy{TB: t}
	greenlettest.Leaks(s)
	left := greenlet.New(waits, greenlet.WithName("left"))
	left.Switch(nil)
	greenlet.New(waits).Switch(nil) // abandoned
	done := greenlet.New(waits)
	done.Switch(nil)
	done.Switch(nil)

	errors := s.end()
	require.Len(t, errors, 1)
	assert.Contains(t, errors[0], fmt.Sprintf("greenlet %d \"left\" [suspended, of goroutine ", left.ID()))
	assert.Contains(t, errors[0], "greenlettest_test.waits\n\t")
	assert.Equal(t, 1, strings.Count(errors[0], "]:\n"), errors[0])
	assert.False(t, old.Dead())
}

// On another goroutine, which has not ended.
func TestLeaksElsewhere(t *testing.T) {
	s := &spy{TB: t}
	greenlettest.Leaks(s)
	made, end, ended := make(chan *greenlet.Greenlet), make(chan bool), make(chan bool)
	go func() {
		defer close(ended)
		defer greenlet.Close()
		g := greenlet.New(waits)
		g.Switch(nil)
		made <- g
		<-end
	}()
	g := <-made
	errors := s.end()
	close(end)
	<-ended
	require.Len(t, errors, 1)
	assert.Contains(t, errors[0], fmt.Sprintf("greenlet %d [suspended", g.ID()))
}

func TestNoLeaks(t *testing.T) {
	s := &spy{TB: t}
	greenlettest.Leaks(s)
	g := greenlet.New(waits)
	g.Switch(nil)
	g.Switch(nil)
	assert.Empty(t, s.end())
}
