package gl204

import (
	"context"
	"log"

	"github.com/go-greenlet/greenlet/asyncio"
)

func consume(ctx context.Context, queue *asyncio.Queue[string]) {
	for {
		text, err := queue.Get(ctx)
		if err != nil { // want `GL204: the loop goes on after any error of asyncio.Queue.Get, a cancel among them, so the task cannot be ended: return, unless it is one that you know`
			log.Print(err)
			continue
		}
		log.Print(text)
	}
}
