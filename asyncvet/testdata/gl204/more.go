package gl204

import (
	"context"
	"log"

	"github.com/go-greenlet/greenlet/asyncio"
)

func ways(ctx context.Context, event *asyncio.Event, failed int) {
	for {
		if err := event.Wait(ctx); err != nil { // want `GL204`
			log.Println("waits again:", err)
		}
	}
}

// There is an end, or there may be one.
func ends(ctx context.Context, event *asyncio.Event, tell func(error), l *log.Logger) error {
	for ctx.Err() == nil {
		if err := event.Wait(ctx); err != nil {
			continue
		}
	}
	for {
		if err := event.Wait(ctx); err != nil {
			if ctx.Err() != nil {
				return err
			}
			continue
		}
	}
}

func told(ctx context.Context, event *asyncio.Event, tell func(error)) {
	for {
		if err := event.Wait(ctx); err != nil {
			tell(err)
		}
	}
}

func fatal(ctx context.Context, event *asyncio.Event) {
	for {
		if err := event.Wait(ctx); err != nil {
			log.Fatal(err)
		}
	}
}

func counts(ctx context.Context, event *asyncio.Event) error {
	var last error
	for {
		if err := event.Wait(ctx); err != nil {
			last = err
		}
		if last != nil {
			return last
		}
	}
}
