package asynciotest_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet/asyncio/asynciotest"
	"github.com/go-greenlet/greenlet/asyncio/simnet"
)

// In strict mode the seed decides all that it does not in a program as it is. make strict
// runs it.
func TestStrict(t *testing.T) {
	if os.Getenv(asynciotest.StrictVar) == "" {
		t.Skip("not in strict mode")
	}
	names := slices.Sorted(maps.Keys(habits))
	asynciotest.Explore(t, 2, func(t testing.TB, ctx context.Context) {
		for i, name := range names {
			talksTo(fmt.Sprint("server", i), habits[name])(t, ctx)
			t.Logf("%s: %#x", name, simnet.Of(ctx).Hash()) // which is compared, too
		}
	}, asynciotest.WithCheck(1), asynciotest.WithNetwork(simnet.Config{Latency: simnet.Uniform(0, time.Second)}))
}

// Goroutines that use connections repeat, too.
func TestStrictHTTP(t *testing.T) {
	if os.Getenv(asynciotest.StrictVar) == "" {
		t.Skip("not in strict mode")
	}
	asynciotest.Explore(t, 3, overHTTP, asynciotest.WithCheck(1), asynciotest.WithNetwork(withGoroutines))
}
