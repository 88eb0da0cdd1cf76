package asynciotest_test

import (
	"os"
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
	for name, say := range habits {
		t.Run(name, func(t *testing.T) {
			asynciotest.Explore(t, 2, talk(say), asynciotest.WithCheck(1), asynciotest.WithNetwork(simnet.Config{Latency: simnet.Uniform(0, time.Second)}))
		})
	}
}
