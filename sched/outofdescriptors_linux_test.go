//go:build !portable

package sched_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-greenlet/greenlet/sched"
)

// TestOutOfDescriptors: a loop that cannot get the descriptors which it watches by
// says so, keeps none, and tries again the next time.
func TestOutOfDescriptors(t *testing.T) {
	a, _ := pair(t)
	var was unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &was))
	next := func() uint64 { // the number that the next descriptor will have
		fd, err := unix.Dup(a)
		require.NoError(t, err)
		unix.Close(fd)
		return uint64(fd)
	}
	free := next()
	for more := range uint64(2) { // of the two that it needs
		l := sched.New()
		var r reader
		require.NoError(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: free + more, Max: was.Max}))
		err := l.Watch(&r.Descriptor, a, &r)
		require.NoError(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &was))
		require.ErrorIs(t, err, unix.EMFILE)
		require.False(t, r.Watched())
		require.Equal(t, free, next())
		require.NoError(t, l.Watch(&r.Descriptor, a, &r))
		require.NoError(t, l.Close())
	}
}
