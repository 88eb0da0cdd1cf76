package gl204

import (
	"context"
	"errors"
	"io"
	"log"

	"github.com/go-greenlet/greenlet/asyncio"
)

func consumeUntilEnd(ctx context.Context, queue *asyncio.Queue[string]) error {
	for {
		text, err := queue.Get(ctx)
		if err != nil {
			return err
		}
		log.Print(text)
	}
}

func retry(ctx context.Context, r *asyncio.StreamReader) error {
	for {
		line, err := r.ReadLine(ctx)
		if err != nil {
			if errors.Is(err, io.ErrUnexpectedEOF) {
				continue
			}
			return err
		}
		log.Printf("%s", line)
	}
}
