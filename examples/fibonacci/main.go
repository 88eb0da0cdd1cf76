// Fibonacci shows a generator: the function that makes the numbers stays a
// plain loop, and who wants them takes one, a few, or all up to a limit.
package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/go-greenlet/greenlet"
)

func main() {
	if err := run(os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// fibonacci yields the numbers up to limit. Its result is how many there were.
// Nothing is sent to it, so what it may be sent is empty.
func fibonacci(limit int) *greenlet.Generator[int, struct{}, int] {
	return greenlet.NewGenerator(func(y *greenlet.Yielder[int, struct{}]) (int, error) {
		n := 0
		for a, b := 0, 1; a <= limit; a, b = b, a+b {
			if _, err := y.Yield(a); err != nil {
				return n, err // somebody has closed the generator
			}
			n++
		}
		return n, nil
	})
}

func run(w io.Writer) error {
	defer greenlet.Close()

	// One at a time.
	g := fibonacci(10)
	for {
		v, err := g.Next()
		if errors.Is(err, greenlet.ErrStop) {
			break
		}
		if err != nil {
			return err
		}
		fmt.Fprint(w, v, " ")
	}
	n, _ := g.Result()
	fmt.Fprintf(w, "are %d numbers\n", n)

	// By a loop, and no further than wanted. A loop that breaks leaves the
	// generator where it is, so another may go on.
	const million = 1_000_000
	g = fibonacci(million)
	for v := range g.All() {
		if v > 100 {
			fmt.Fprintf(w, "%d is the first above 100\n", v)
			break
		}
	}
	sum := 0
	for v := range g.All() {
		sum += v
	}
	_, err := fmt.Fprintf(w, "those from there to a million add up to %d\n", sum)
	return err
}
