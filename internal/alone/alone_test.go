package alone_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/internal/alone"
)

type likeExit struct{ error }

func (likeExit) Is(target error) bool { return target == exit }

type group []error

func (g group) Error() string   { return "a group" }
func (g group) Unwrap() []error { return g }
func (g group) PyName() string  { return "ExceptionGroup" }

var (
	exit = errors.New("exit")
	stop = errors.New("stop")
	disk = errors.New("the disk is full")
)

func TestIs(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{exit, true},
		{stop, true},
		{disk, false},
		{likeExit{disk}, true},
		{fmt.Errorf("at the end: %w", exit), true},
		{fmt.Errorf("at the end: %v", exit), false},
		{errors.Join(exit), true}, // errors.Join(err, f.Close())
		{errors.Join(exit, stop), true},
		{errors.Join(exit, disk), false},
		{errors.Join(disk, exit), false},
		{fmt.Errorf("%w and %w", exit, disk), false},
		{fmt.Errorf("twice: %w", errors.Join(exit, fmt.Errorf("%w", errors.Join(stop)))), true},
		{fmt.Errorf("twice: %w", errors.Join(exit, fmt.Errorf("%w", errors.Join(stop, disk)))), false},
		{group{exit}, false},
		{errors.Join(exit, group{exit}), false},
	} {
		require.Equal(t, c.want, alone.Is(c.err, exit, stop), "%v", c.err)
	}
}

type diskError struct{ error }

func TestBehind(t *testing.T) {
	escaped := errors.New("an end has escaped")
	err := fmt.Errorf("%w", alone.Behind(fmt.Errorf("%w (told)", escaped), errors.Join(exit, diskError{disk}), exit))
	require.EqualError(t, err, "an end has escaped (told)")
	require.ErrorIs(t, err, escaped)
	require.ErrorAs(t, err, new(diskError))
	require.NotErrorIs(t, err, exit)
	require.False(t, alone.Is(err, exit))
	require.ErrorIs(t, alone.Behind(escaped, disk, exit), disk)
}
