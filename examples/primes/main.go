// Primes shows work for processors: a pool of processes counts primes, each a
// part of the numbers, while the loop stays free. The processes are this program
// again.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/go-greenlet/greenlet/asyncio"
)

func main() {
	asyncio.ProcessWorker() // does not return in a process of the pool
	if err := run(os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// A Range is the numbers from First up to, and without, End.
type Range struct{ First, End int }

// countPrimes is a function that other processes know by its name.
var countPrimes = asyncio.RegisterJob("count primes", func(ctx context.Context, r Range) (int, error) {
	n := 0
	for i := r.First; i < r.End && ctx.Err() == nil; i++ {
		if isPrime(i) {
			n++
		}
	}
	return n, ctx.Err()
})

func isPrime(n int) bool {
	for d := 2; d*d <= n; d++ {
		if n%d == 0 {
			return false
		}
	}
	return n > 1
}

func run(w io.Writer) error {
	return asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		pool := asyncio.NewProcessPool(2)
		defer pool.Close()

		const part = 25_000
		var parts []asyncio.Coro[int]
		for first := 0; first < 100_000; first += part {
			parts = append(parts, func(ctx context.Context) (int, error) {
				return asyncio.RunInProcess(ctx, pool, countPrimes, Range{first, first + part})
			})
		}
		counts, err := asyncio.Gather(ctx, asyncio.Awaitables(parts)...).Await(ctx)
		if err != nil {
			return err
		}
		all := 0
		for i, n := range counts {
			fmt.Fprintf(w, "%6d primes from %d\n", n, i*part)
			all += n
		}
		fmt.Fprintf(w, "%6d in all\n", all)
		return nil
	})
}
