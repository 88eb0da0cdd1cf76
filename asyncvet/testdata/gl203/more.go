package gl203

import (
	"context"
	"net"

	"github.com/go-greenlet/greenlet/asyncio"
)

func ways(ctx context.Context, a, b asyncio.Coro[int], send func(context.Context) error, q *asyncio.Queue[int]) error {
	asyncio.CreateTask(ctx, a)                                            // want `GL203`
	asyncio.Gather(ctx, asyncio.Awaitables([]asyncio.Coro[int]{a, b})...) // want `GL203`
	asyncio.NewCoroutine(a)                                               // want `GL203: what asyncio.NewCoroutine returns is dropped, so nothing of it ever runs`
	asyncio.Go(ctx, send)                                                 // want `GL203`
	asyncio.Go(ctx, quiet)
	asyncio.Go(ctx, handled)
	asyncio.Go(ctx, passes)
	asyncio.Go(ctx, loud) // want `GL203`
	_ = asyncio.Go(ctx, send)
	t := asyncio.Go(ctx, send)
	_, err := t.Await(ctx)
	return err
}

func quiet(ctx context.Context) error { return nil }

func passes(ctx context.Context) error { return quiet(ctx) }

func handled(ctx context.Context) error {
	conn, err := asyncio.Dial(ctx, "tcp", "localhost:1")
	if err != nil {
		return nil
	}
	return closed(conn)
}

func closed(conn net.Conn) error { conn.Close(); return nil }

func loud(ctx context.Context) error {
	_, err := asyncio.Dial(ctx, "tcp", "localhost:1")
	return err
}
