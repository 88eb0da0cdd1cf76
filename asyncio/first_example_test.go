package asyncio_test

import (
	"context"
	"fmt"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

func Example() {
	v, err := asyncio.Run(context.Background(), func(ctx context.Context) (string, error) {
		tea := asyncio.CreateTask(ctx, func(ctx context.Context) (string, error) {
			return asyncio.SleepResult(ctx, 10*time.Millisecond, "tea")
		})
		fmt.Println("the kettle is on")
		return tea.Await(ctx)
	})
	fmt.Println(v, err)
	// Output:
	// the kettle is on
	// tea <nil>
}
