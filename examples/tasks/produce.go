package main

import (
	"context"
	"fmt"

	"github.com/go-greenlet/greenlet/asyncio"
)

// produce puts tasks of all kinds into the queue, many at a time.
func produce(ctx context.Context, o options) error {
	q, err := connect(ctx, o)
	if err != nil {
		return err
	}
	defer q.close()
	var puts []asyncio.Coro[asyncio.None]
	for _, j := range jobs(o.n) {
		puts = append(puts, asyncio.Func(func(ctx context.Context) error { return q.put(ctx, j) }))
	}
	_, err = asyncio.Gather(ctx, asyncio.Limit(32, puts...)...).Await(ctx)
	return err
}

// jobs returns n jobs: most wait or compute, one in fifty fails, and one of all
// kills its workers.
func jobs(n int) []job {
	all := make([]job, n)
	for i := range all {
		j := job{ID: fmt.Sprintf("%06d", i), Kind: "wait", N: 20 + i*37%200}
		switch {
		case i == n/2:
			j.Kind = "crash"
		case i%50 == 49:
			j.Kind = "fail"
		case i%3 == 0:
			j.Kind, j.N = "primes", 100_000+i
		}
		all[i] = j
	}
	return all
}
