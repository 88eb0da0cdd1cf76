// Callbacks shows the loop below the tasks: functions that it calls soon, later,
// or when a task is done. Their arguments are bound by closures.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

func main() {
	if err := run(os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(w io.Writer) error {
	loop := asyncio.NewLoop()
	defer loop.Close()

	say := func(word string, n int) func() {
		return func() { fmt.Fprintln(w, word, n) }
	}
	loop.CallLater(20*time.Millisecond, say("later", 3))
	never := loop.CallLater(10*time.Millisecond, say("never", 0))
	loop.CallSoon(say("soon", 1))
	loop.CallSoon(func() {
		never.Cancel()
		say("soon", 2)()
	})

	task := asyncio.NewTask(loop, func(ctx context.Context) (string, error) {
		return asyncio.SleepResult(ctx, 30*time.Millisecond, "a result")
	})
	task.AddDoneCallback(report(w, "the task has", task))
	_, err := asyncio.RunUntilComplete(loop, task)
	return err
}

// report returns a callback that knows more than which future is done.
func report(w io.Writer, label string, task *asyncio.Task[string]) *asyncio.Callback {
	return asyncio.NewCallback(func(asyncio.AnyFuture) {
		v, err := task.Result()
		fmt.Fprintln(w, label, v, err)
	})
}
