// Echo has the same conversation with an echo server three times: over streams,
// by protocols and their callbacks, and over Go's own net.Conn.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/go-greenlet/greenlet/asyncio"
)

func main() {
	if err := run(os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(w io.Writer) error {
	ways := []struct {
		name string
		talk func(ctx context.Context, lines []string, heard func(line string)) error
	}{
		{"streams", streams},
		{"protocol", protocol},
		{"net.Conn", conn},
	}
	return asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		for _, way := range ways {
			fmt.Fprintln(w, way.name)
			lines := []string{"hello", "is anybody there?", "bye"}
			if err := way.talk(ctx, lines, func(line string) { fmt.Fprintln(w, "  ", line) }); err != nil {
				return err
			}
		}
		return nil
	})
}
