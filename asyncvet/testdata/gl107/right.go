package gl107

import (
	"context"

	"github.com/go-greenlet/greenlet/asyncio"
)

func revisionInTask(ctx context.Context) *asyncio.Task[string] {
	return asyncio.CreateTask(ctx, func(ctx context.Context) (string, error) {
		p, err := asyncio.CreateSubprocessExec(ctx, []string{"git", "rev-parse", "HEAD"}, asyncio.WithStdout(asyncio.Pipe))
		if err != nil {
			return "", err
		}
		out, _, err := p.Communicate(ctx, nil)
		return string(out), err
	})
}
