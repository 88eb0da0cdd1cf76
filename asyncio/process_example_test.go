//go:build !js && !wasip1

package asyncio_test

import (
	"context"
	"fmt"

	"github.com/go-greenlet/greenlet/asyncio"
)

// Jobs are registered by package variables, so that worker processes know them.
// The test binary calls ProcessWorker before it runs tests, as a program does at
// the start of main.
var collatz = asyncio.RegisterJob("collatz", func(_ context.Context, n int) (steps int, err error) {
	for ; n != 1; steps++ {
		if n%2 == 0 {
			n /= 2
		} else {
			n = 3*n + 1
		}
	}
	return steps, nil
})

func ExampleRunInProcess() {
	pool := asyncio.NewProcessPool(2)
	defer pool.Close()
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		steps, err := asyncio.RunInProcess(ctx, pool, collatz, 27)
		fmt.Println(steps)
		return err
	})
	// Output: 111
}
