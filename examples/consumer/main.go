// Consumer shows what Send is for: the consumer is a generator that is sent
// items and yields its reply to each. Neither side needs a lock or a channel.
// The producer example does the same by plain switches.
package main

import (
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

// A consumer is sent numbers and yields replies. It returns nothing.
type consumer = greenlet.Generator[string, int, struct{}]

func newConsumer(w io.Writer) *consumer {
	return greenlet.NewGenerator(func(y *greenlet.Yielder[string, int]) (none struct{}, _ error) {
		reply := ""
		for {
			n, err := y.Yield(reply)
			if err != nil {
				return none, err // the producer has closed it
			}
			fmt.Fprintf(w, "[CONSUMER] Consuming %d...\n", n)
			reply = "200 OK"
		}
	})
}

func produce(w io.Writer, c *consumer) error {
	if _, err := c.Next(); err != nil { // up to its first Yield
		return err
	}
	for n := 1; n <= 5; n++ {
		fmt.Fprintf(w, "[PRODUCER] Producing %d...\n", n)
		reply, err := c.Send(n)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "[PRODUCER] Consumer return: %s\n", reply)
	}
	return c.Close()
}

func run(w io.Writer) error {
	defer greenlet.Close()

	return produce(w, newConsumer(w))
}
