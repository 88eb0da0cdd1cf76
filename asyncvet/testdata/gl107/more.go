package gl107

import (
	"context"
	"os"
	"os/exec"

	"github.com/go-greenlet/greenlet/asyncio"
)

func ways(ctx context.Context, cmd *exec.Cmd, p *os.Process) error {
	if err := cmd.Run(); err != nil { // want `GL107: exec.Cmd.Run`
		return err
	}
	if err := cmd.Wait(); err != nil { // want `GL107: exec.Cmd.Wait`
		return err
	}
	if _, err := p.Wait(); err != nil { // want `GL107: os.Process.Wait`
		return err
	}
	return asyncio.Sleep(ctx, 1)
}

// A start does not wait, and neither does the Wait of package asyncio stop the loop.
func starts(ctx context.Context, cmd *exec.Cmd, p *asyncio.Process) error {
	if err := cmd.Start(); err != nil {
		return err
	}
	_, err := p.Wait(ctx)
	return err
}
