// Target has a suspended greenlet and a task that waits, and is there to be looked at by a
// debugger.
package main

import (
	"context"
	"fmt"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/asyncio"
)

// pause is a greenlet's body: it waits in the middle of a call.
//
//go:noinline
func pause(any) (any, error) { return greenlet.Current().Parent().Switch("paused") }

// answer waits for an event.
//
//go:noinline
func answer(ctx context.Context, asked *asyncio.Event) error { return asked.Wait(ctx) }

// look is where the debugger stops.
//
//go:noinline
func look() { fmt.Println("here") }

func main() {
	fmt.Println(greenlet.New(pause, greenlet.WithName("paused")).Switch(nil))
	err := asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		var asked asyncio.Event
		task := asyncio.Go(ctx, func(ctx context.Context) error { return answer(ctx, &asked) }, asyncio.WithTaskName("answerer"))
		if err := asyncio.Sleep(ctx, 0); err != nil {
			return err
		}
		look()
		asked.Set()
		_, err := task.Await(ctx)
		return err
	})
	fmt.Println(err)
	greenlet.Close()
}
