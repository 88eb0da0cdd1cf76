package asyncio_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
)

// A loop's options go for the loop that a run makes, given by themselves or several as
// one.
func TestRunTakesLoopOptions(t *testing.T) {
	named := func(ctx context.Context) (string, error) {
		l := mustLoop(ctx)
		if !l.Debug() {
			return "", valueError("not in debug mode")
		}
		return l.Name(), nil
	}
	name, err := asyncio.Run(context.Background(), named, asyncio.WithLoopName("a"), asyncio.WithDebug(true))
	require.NoError(t, err)
	require.Equal(t, "a", name)

	both := []asyncio.LoopOption{asyncio.WithLoopName("a"), nil, asyncio.WithDebug(true)}
	name, err = asyncio.Run(context.Background(), named, asyncio.WithLoopOptions(both...), asyncio.WithLoopName("later"))
	require.NoError(t, err)
	require.Equal(t, "later", name)

	l := asyncio.NewLoop(both...)
	defer l.Close()
	require.Equal(t, "a", l.Name())
	require.True(t, l.Debug())

	err = asyncio.RunWorkers(context.Background(), 1, func(ctx context.Context, w *asyncio.Worker) error {
		assert.Equal(t, "w", w.Loop().Name())
		return nil
	}, asyncio.WithLoopName("w"))
	require.NoError(t, err)
}

// A nil option is none, wherever options are taken.
func TestNilOptions(t *testing.T) {
	l := asyncio.NewLoop(nil)
	require.NoError(t, l.Close())
	require.NoError(t, asyncio.RunWorkers(context.Background(), 1, func(context.Context, *asyncio.Worker) error { return nil }, nil))
	require.ErrorIs(t, asyncio.RunProcesses(context.Background(), -1, nil, nil, nil), asyncio.ErrValue)
	r := asyncio.NewRunner(nil, asyncio.WithSignals(false))
	defer r.Close()
	_, err := asyncio.RunIn(context.Background(), r, asyncio.Func(func(ctx context.Context) error {
		five := returning(5, nil)
		x := asyncio.CreateTask(ctx, five, nil, asyncio.WithTaskName("x"), nil)
		require.Equal(t, "x", x.Name())
		asyncio.Go(ctx, func(context.Context) error { return nil }, nil)
		err := asyncio.RunTaskGroup(ctx, func(_ context.Context, tg *asyncio.TaskGroup) error {
			tg.SetLimit(1)
			asyncio.GroupTask(tg, five, nil)
			return nil
		})
		require.NoError(t, err)
		_, _, err = asyncio.Wait(ctx, []asyncio.AnyTask{x}, nil)
		require.NoError(t, err)
		for v, err := range asyncio.AsCompleted(ctx, []asyncio.Coro[int]{five}, nil) {
			require.NoError(t, err)
			require.Equal(t, 5, v)
		}
		return nil
	}))
	require.NoError(t, err)

	server, client := asyncio.NewTLSConfigs(t)
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		echo := func(ctx context.Context, r *asyncio.StreamReader, w *asyncio.StreamWriter) error {
			defer w.Close()
			line, _ := r.ReadLine(ctx)
			w.Write(line)
			return w.Drain(ctx)
		}
		srv, err := asyncio.StartServer(ctx, "tcp", "127.0.0.1:0", echo, nil, asyncio.WithTLS(server, nil))
		require.NoError(t, err)
		defer srv.Close()
		reader, w, err := asyncio.OpenConnection(ctx, "tcp", srv.Addr().String(), nil, asyncio.WithTLS(client, nil))
		require.NoError(t, err)
		defer w.Close()
		w.Write([]byte("hello\n"))
		line, err := reader.ReadLine(ctx)
		require.NoError(t, err)
		require.Equal(t, "hello\n", string(line))
		_, err = l.SendFile(ctx, w.Transport(), nil, 0, 0, nil)
		wantPy(t, "no file", err, "TypeError", "a file was expected")
		_, err = asyncio.CreateSubprocessExec(ctx, []string{"no such program"}, nil)
		require.Error(t, err)

		d, _, err := asyncio.CreateDatagramEndpoint(ctx, func() asyncio.NopDatagramProtocol { return asyncio.NopDatagramProtocol{} }, "udp", nil, asyncio.WithLocalAddr("127.0.0.1:0"), nil)
		require.NoError(t, err)
		d.Close()
	})
}
