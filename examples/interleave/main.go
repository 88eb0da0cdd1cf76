// Interleave shows two functions interrupted at will: neither calls the other
// and neither knows how far the other has come.
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

func run(w io.Writer) error {
	defer greenlet.Close()

	var a, b *greenlet.Greenlet
	a = greenlet.New(func(any) (any, error) {
		fmt.Fprintln(w, "1")
		fmt.Fprintln(w, "2")
		if _, err := b.Switch(nil); err != nil {
			return nil, err
		}
		fmt.Fprintln(w, "3")
		return b.Switch(nil)
	})
	b = greenlet.New(func(any) (any, error) {
		fmt.Fprintln(w, "x")
		fmt.Fprintln(w, "y")
		if _, err := a.Switch(nil); err != nil {
			return nil, err
		}
		fmt.Fprintln(w, "z")
		return nil, nil
	})

	_, err := a.Switch(nil)
	return err
}
