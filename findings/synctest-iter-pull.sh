#!/usr/bin/env bash
# A test makes an iter.Pull of an iterator that tells the year, enters a synctest bubble,
# whose clock begins in the year 2000, calls next there once, and sleeps for an hour.
#
# Guess: the year is 2000, and the hour takes no time. next is an ordinary call, so what it
# runs belongs to its caller: that it has a goroutine is for the runtime to know.
# Seen: with Go 1.26.8 and 1.27.4 next returns the real year, and then the sleep fails the
# test: "deadlock: all goroutines in bubble are blocked", though a timer is set. While next
# ran, its caller was taken for blocked, and the bubble does not forget that. (Without the
# sleep some tests pass and some fail in the same way.) An iter.Pull that is made in the
# bubble tells 2000 and does no harm.
# So make it there. One that a package keeps in a variable, or a helper has made before,
# brings the real clock into the test and fails it later, at another place.
#
# Needs Go and the module proxy, which has the second toolchain.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >go.mod <<'EOF2'
module pull

go 1.26.0
EOF2
cat >pull_test.go <<'EOF2'
package pull

import (
	"fmt"
	"iter"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

// years tells the year.
func years(yield func(int) bool) {
	for yield(time.Now().Year()) {
	}
}

// in calls next in a bubble, and sleeps.
func in(t *testing.T, next func() (int, bool)) (what string) {
	defer func() {
		if p := recover(); p != nil {
			what += fmt.Sprint(", then ", p)
		}
	}()
	synctest.Test(t, func(*testing.T) {
		if next == nil {
			n, stop := iter.Pull(years)
			defer stop()
			next = n
		}
		what = "another year"
		if year, _ := next(); year == 2000 {
			what = "2000"
		}
		time.Sleep(time.Hour)
		what += ", then an hour passes"
	})
	return what
}

func TestPull(t *testing.T) {
	fmt.Printf("seen %s, made in the bubble: %s\n", runtime.Version(), in(t, nil))
	next, _ := iter.Pull(years)
	fmt.Printf("seen %s, made before: %s\n", runtime.Version(), in(t, next))
}
EOF2
for release in go1.26.8 go1.27.4; do
	GOTOOLCHAIN=$release go test -count=1 -v . 2>&1 | sed -n 's/^seen //p'
done | tee seen
diff seen - <<'EOF2'
go1.26.8, made in the bubble: 2000, then an hour passes
go1.26.8, made before: another year, then deadlock: all goroutines in bubble are blocked
go1.27.4, made in the bubble: 2000, then an hour passes
go1.27.4, made before: another year, then deadlock: all goroutines in bubble are blocked
EOF2
echo "as it was seen"
