package asyncio_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

func brew(ctx context.Context) error { return asyncio.Sleep(ctx, time.Hour) }

func breakfast(ctx context.Context) error {
	return asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
		tg.Go(brew, asyncio.WithTaskName("tea"))
		tg.Go(brew, asyncio.WithTaskName("coffee"))
		return nil
	})
}

// What does a program do that seems to do nothing?
func ExampleLoop_WriteTasks() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		asyncio.CurrentTask(ctx).SetName("main")
		asyncio.Go(ctx, breakfast, asyncio.WithTaskName("breakfast"))
		asyncio.Sleep(ctx, time.Millisecond)

		var tree strings.Builder
		asyncio.CurrentTask(ctx).Loop().WriteTasks(ctx, &tree)
		fmt.Print(withoutLines(tree.String()))
		return nil
	})
	// Output:
	// main: runs
	// breakfast: waits in asyncio.RunTaskGroup, called by asyncio_test.breakfast at sight_callgraph_example_test.go
	// ├─ tea: waits in asyncio.Sleep, called by asyncio_test.brew at sight_callgraph_example_test.go
	// └─ coffee: waits in asyncio.Sleep, called by asyncio_test.brew at sight_callgraph_example_test.go
}

func ExamplePrintCallGraph() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		tea := asyncio.Go(ctx, brew, asyncio.WithTaskName("tea"))
		asyncio.Go(ctx, func(ctx context.Context) error {
			_, err := asyncio.Gather[asyncio.None](ctx, tea).Await(ctx)
			return err
		}, asyncio.WithTaskName("guest"))
		asyncio.Sleep(ctx, time.Millisecond)
		return asyncio.PrintCallGraph(outputWithoutLines{}, tea)
	})
	// Output:
	// * tea
	//   | asyncio.Sleep context.go
	//   | asyncio_test.brew sight_callgraph_example_test.go
	//   + awaited by
	//     * guest
	//       | asyncio.(*GatherFuture[...]).Await gather.go
	//       | asyncio_test.ExamplePrintCallGraph.func1.1 sight_callgraph_example_test.go
}

// outputWithoutLines is the standard output, without the numbers of lines.
type outputWithoutLines struct{}

func (outputWithoutLines) Write(p []byte) (int, error) {
	fmt.Fprint(os.Stdout, withoutLines(string(p)))
	return len(p), nil
}
