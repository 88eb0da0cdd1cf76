// Backend shows which switch this program got, and why, and what a switch
// costs here.
package main

import (
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/go-greenlet/greenlet"
)

func main() {
	if err := run(os.Stdout, 1_000_000); err != nil {
		log.Fatal(err)
	}
}

// run writes the backend and times n switches, half of them each way.
func run(w io.Writer, n int) error {
	defer greenlet.Close()

	main := greenlet.Current()
	echo := greenlet.New(func(v any) (any, error) {
		for {
			var err error
			if v, err = main.Switch(v); err != nil {
				return nil, err
			}
		}
	})
	start := time.Now()
	for range n / 2 {
		if _, err := echo.Switch(w); err != nil {
			return err
		}
	}
	each := float64(time.Since(start).Nanoseconds()) / float64(n)

	_, err := fmt.Fprintf(w, "%v\n%d switches, %.1f ns each\n", greenlet.Backend(), n, each)
	return err
}
