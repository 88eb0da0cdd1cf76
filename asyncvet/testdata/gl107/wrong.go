package gl107

import (
	"context"
	"os/exec"

	"github.com/go-greenlet/greenlet/asyncio"
)

func revision(ctx context.Context) *asyncio.Task[string] {
	return asyncio.CreateTask(ctx, func(ctx context.Context) (string, error) {
		out, err := exec.CommandContext(ctx, "git", "rev-parse", "HEAD").Output() // want `GL107: exec.Cmd.Output blocks the loop, in a function that asyncio.CreateTask runs: use asyncio.CreateSubprocessExec`
		return string(out), err
	})
}
