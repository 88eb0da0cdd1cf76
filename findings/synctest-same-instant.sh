#!/usr/bin/env bash
# Timers that are due at the same instant of a synctest bubble's fake clock: in which order
# do they fire, run after run?
#
# Three are set one after the other, for the same instant, with one processor, and each
# notes its number. Two hundred bubbles.
#
# Guess: in the order in which they were set, or in another one, but the same each time.
# A fake clock is there to make tests repeatable.
# Seen: with Go 1.26.8 and 1.27.4 all six orders come, each dozens of times. The runtime
# gives each timer of a bubble a random number for that, and no seed of it can be set.
# So a test in a bubble that fails by the order of two timers may pass the next time, and
# cannot be told to fail again. Run it many times, or set the times apart.
#
# Needs Go and the module proxy, which has the second toolchain.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >go.mod <<'EOF2'
module instant

go 1.26.0
EOF2
cat >instant_test.go <<'EOF2'
package instant

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

func TestInstant(t *testing.T) {
	runtime.GOMAXPROCS(1)
	orders := map[string]int{}
	for range 200 {
		synctest.Test(t, func(*testing.T) {
			numbers := make(chan int, 3)
			for i := range 3 {
				time.AfterFunc(time.Second, func() { numbers <- i })
			}
			orders[fmt.Sprint(<-numbers, <-numbers, <-numbers)]++
		})
	}
	fmt.Fprintln(os.Stderr, orders)
	fmt.Printf("%s: orders: %d\n", runtime.Version(), len(orders))
}
EOF2
for release in go1.26.8 go1.27.4; do
	GOTOOLCHAIN=$release go test -count=1 -v . | grep orders: || true
done | tee seen
diff seen - <<'EOF2'
go1.26.8: orders: 6
go1.27.4: orders: 6
EOF2
echo "as it was seen"
