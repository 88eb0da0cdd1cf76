package gl206

import (
	"context"

	"github.com/go-greenlet/greenlet/asyncio"
)

func closing(w *asyncio.StreamWriter) error {
	return w.WaitClosed(context.Background()) // want `GL206: context.Background\(\) leads to no loop, so asyncio.StreamWriter.WaitClosed fails: pass on the ctx that the function has been given`
}
