package main

import (
	"context"
	"os"
	"strconv"
	"testing"
	"testing/cryptotest"
	"time"

	"github.com/go-greenlet/greenlet/asyncio/asynciotest"
	"github.com/stretchr/testify/require"
)

// Each bug is found within a thousand seeds. SEEDS=1000 goes through so many of each,
// and counts.
func TestBugs(t *testing.T) {
	seeds, count := 1000, false
	if n, err := strconv.Atoi(os.Getenv("SEEDS")); err == nil {
		seeds, count = n, true
	}
	for _, bug := range Bugs {
		t.Run(bug.String(), func(t *testing.T) {
			begun, found := time.Now(), 0
			for seed := uint64(1); seed <= uint64(seeds) && (count || found == 0); seed++ {
				cryptotest.SetGlobalRandom(t, seed) // raft's election timeouts come from there
				err := asynciotest.Simulate(seed, func(ctx context.Context) error { return simulate(ctx, bug) }, asynciotest.WithNetwork(simulated))
				if err != nil {
					if found++; found == 1 {
						t.Logf("seed %d, after %v: %.200s", seed, time.Since(begun).Round(time.Millisecond), err)
					}
				}
			}
			if count {
				t.Logf("%d of %d seeds, in %v", found, seeds, time.Since(begun).Round(time.Second))
			}
			require.NotZero(t, found)
		})
	}
}
