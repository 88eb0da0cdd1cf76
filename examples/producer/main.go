// Producer shows a producer and a consumer that need no lock and no channel: an
// item goes over in the producer's Switch, and the reply is what it returns.
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

func run(w io.Writer) error {
	defer greenlet.Close()

	var producer, consumer *greenlet.Greenlet
	producer = greenlet.New(func(any) (any, error) {
		if _, err := consumer.Switch(nil); err != nil { // up to its first wait
			return nil, err
		}
		for n := 1; n <= 5; n++ {
			fmt.Fprintf(w, "[PRODUCER] Producing %d...\n", n)
			reply, err := consumer.Switch(n)
			if err != nil {
				return nil, err
			}
			fmt.Fprintf(w, "[PRODUCER] Consumer return: %v\n", reply)
		}
		return consumer.Throw(nil) // asks it to exit
	})
	consumer = greenlet.New(func(any) (any, error) {
		reply := ""
		for {
			n, err := producer.Switch(reply)
			if errors.Is(err, greenlet.Exit) {
				fmt.Fprintln(w, "[CONSUMER] closed")
				return nil, nil
			}
			if err != nil {
				return nil, err
			}
			fmt.Fprintf(w, "[CONSUMER] Consuming %v...\n", n)
			reply = "200 OK"
		}
	}, greenlet.WithParent(producer)) // the producer goes on when it ends

	if _, err := producer.Switch(nil); err != nil {
		return err
	}
	dead := "no"
	if producer.Dead() && consumer.Dead() {
		dead = "yes"
	}
	_, err := fmt.Fprintln(w, "dead", dead)
	return err
}
