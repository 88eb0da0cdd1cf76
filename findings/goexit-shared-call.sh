#!/usr/bin/env bash
# Several goroutines share one call, and the one that makes it ends by runtime.Goexit in
# the middle, as t.FailNow has it, and as a coroutine that is killed is unwound. What do
# the others get?
#
# Guess: an error, or another try: who has not asked for an end goes on.
# Seen: with Go 1.26.8 and golang.org/x/sync v0.25.0
#   sync.Once       goes on as if the call had been made
#   sync.OnceValue  panics with a *runtime.PanicNilError, "panic called with nil
#                   argument", in the one that made the call and in all later ones
#   singleflight    ends the goroutines of all that wait for the call, without a word
#   errgroup        Wait returns nil, as if all had gone well, and its ctx is not cancelled
# So what may end by Goexit is not called below these; an HTTP handler whose goroutine
# singleflight has ended drops its client.
#
# Needs Go and the module proxy.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >go.mod <<'EOF2'
module shared

go 1.26.0

require golang.org/x/sync v0.25.0
EOF2
cat >main.go <<'EOF2'
package main

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/singleflight"
)

// how calls f on a goroutine of its own and says how that has ended.
func how(f func() string) <-chan string {
	end := make(chan string, 1)
	go func() {
		what := "its goroutine has ended"
		defer func() {
			if p := recover(); p != nil {
				what = fmt.Sprintf("a panic of %T", p)
			}
			end <- what
		}()
		what = "it returns " + f()
	}()
	return end
}

func main() {
	var once sync.Once
	first := <-how(func() string { once.Do(runtime.Goexit); return "nothing" })
	second := <-how(func() string { once.Do(func() {}); return "nothing" })
	fmt.Printf("Once: the first: %s; the second: %s\n", first, second)

	value := sync.OnceValue(func() int { runtime.Goexit(); return 1 })
	get := func() string { return fmt.Sprint(value()) }
	first = <-how(get)
	second = <-how(get)
	fmt.Printf("OnceValue: the first: %s; the second: %s\n", first, second)

	var group singleflight.Group
	begun, goOn := make(chan bool), make(chan bool)
	one := how(func() string {
		group.Do("key", func() (any, error) { close(begun); <-goOn; runtime.Goexit(); return 1, nil })
		return "nothing"
	})
	<-begun
	two := how(func() string {
		v, err, _ := group.Do("key", func() (any, error) { return 2, nil })
		return fmt.Sprint(v, err)
	})
	for waits := false; !waits; { // until the second waits for the first
		time.Sleep(10 * time.Millisecond)
		stacks := make([]byte, 1<<20)
		waits = strings.Contains(string(stacks[:runtime.Stack(stacks, true)]), "sync.(*WaitGroup).Wait")
	}
	close(goOn)
	fmt.Printf("singleflight: the first: %s; the second: %s\n", <-one, <-two)

	g, ctx := errgroup.WithContext(context.Background())
	g.Go(func() error { runtime.Goexit(); return nil })
	g.Go(func() error {
		select {
		case <-ctx.Done():
			return fmt.Errorf("told")
		case <-time.After(time.Second):
			return nil
		}
	})
	fmt.Printf("errgroup: Wait returns %v\n", g.Wait())
}
EOF2
go mod tidy >/dev/null 2>&1
go run . | tee seen
diff seen - <<'EOF2'
Once: the first: its goroutine has ended; the second: it returns nothing
OnceValue: the first: a panic of *runtime.PanicNilError; the second: a panic of *runtime.PanicNilError
singleflight: the first: its goroutine has ended; the second: its goroutine has ended
errgroup: Wait returns <nil>
EOF2
echo "as it was seen"
