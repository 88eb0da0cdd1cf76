package gl108

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/go-greenlet/greenlet/asyncio"
)

func ways(ctx context.Context, text string) error {
	var name string
	fmt.Scanln(&name) // want `GL108: fmt.Scanln`
	in := os.Stdin
	if _, err := io.ReadAll(in); err != nil { // want `GL108: io.ReadAll`
		return err
	}
	fmt.Fscan(os.Stdin, &name) // want `GL108: fmt.Fscan`
	return asyncio.Sleep(ctx, 1)
}

func others(ctx context.Context, text string, f *os.File) error {
	var name string
	fmt.Sscan(text, &name)
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		name = lines.Text()
	}
	if _, err := io.ReadAll(f); err != nil {
		return err
	}
	return asyncio.Sleep(ctx, 1)
}
