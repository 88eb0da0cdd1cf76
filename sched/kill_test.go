package sched_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/sched"
)

// A task that is killed ends where it waits, and nothing waits in its deferred calls.
func TestKillTask(t *testing.T) {
	l := sched.New()
	defer l.Close()
	var inDefer error
	victim := l.Go(func() {
		defer func() { inDefer = l.Park() }()
		l.Park()
		t.Error("it goes on")
	})
	assert.EqualValues(t, 1, victim.Number())
	joined := false
	killer := l.Go(func() {
		assert.NoError(t, victim.Kill())
		assert.True(t, victim.Ended())
		assert.NoError(t, victim.Kill(), "it has ended")
		assert.NoError(t, l.Yield(), "who has killed waits as before")
	})
	assert.EqualValues(t, 2, killer.Number())
	l.Go(func() { joined = victim.Join() == nil })
	require.NoError(t, l.Run())
	assert.ErrorIs(t, inDefer, sched.ErrClosed)
	assert.True(t, joined)
	assert.ErrorIs(t, l.Sleep(time.Second), sched.ErrNotRunning, "no kill is under way")
}

func TestKillTaskPanics(t *testing.T) {
	l := sched.New()
	defer l.Close()
	victim := l.Go(func() {
		defer func() { panic("deferred") }()
		l.Park()
	})
	l.Go(func() {
		assert.Panics(t, func() { victim.Kill() })
		assert.True(t, victim.Ended())
		assert.NoError(t, l.Yield())
	})
	require.NoError(t, l.Run())
}

func TestKillTaskRefuses(t *testing.T) {
	l := sched.New()
	defer l.Close()
	var outer *sched.Task
	outer = l.Go(func() {
		assert.ErrorIs(t, outer.Kill(), sched.ErrKillSelf)
		var eager sched.Task
		l.StartNow(&eager, stepBody(func() { assert.ErrorIs(t, outer.Kill(), sched.ErrKillSelf) }))
		done := make(chan error)
		waits := l.Go(func() { l.Park() })
		l.Yield()
		go func() { done <- waits.Kill() }()
		assert.ErrorIs(t, <-done, sched.ErrForeign)
		waits.Ready()
	})
	require.NoError(t, l.Run())
}

// The steps are told in order, those of eager starts, too.
func TestTrace(t *testing.T) {
	var steps []uint32
	l := sched.New(sched.WithTrace(func(task uint32) { steps = append(steps, task) }))
	defer l.Close()
	l.Go(func() {
		l.Yield()
		var eager sched.Task
		l.StartNow(&eager, stepBody(func() { l.Yield() }))
	})
	l.Go(func() { l.Yield() })
	require.NoError(t, l.Run())
	assert.Equal(t, []uint32{1, 2, 1, 3, 2, 3}, steps)
}

type stepBody func()

func (f stepBody) Run() { f() }
