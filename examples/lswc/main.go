// Lswc pipes ls through wc, as a shell does, in two ways: the two programs are
// connected by a pipe of the system, or by a task that passes on what comes and
// sees it.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	"github.com/go-greenlet/greenlet/asyncio"
)

func main() {
	dir := "."
	if len(os.Args) > 1 {
		dir = os.Args[1]
	}
	if err := run(os.Stdout, dir); err != nil {
		log.Fatal(err)
	}
}

func run(w io.Writer, dir string) error {
	return asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		counted, err := direct(ctx, dir)
		if err != nil {
			return err
		}
		fmt.Fprintln(w, "connected:", counted, "files")
		counted, seen, err := between(ctx, dir)
		if err != nil {
			return err
		}
		fmt.Fprintln(w, "in between:", counted, "files, the longest name is", seen)
		return nil
	})
}

// direct counts the files of dir. What goes from one program to the other does not
// pass through this one.
func direct(ctx context.Context, dir string) (string, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return "", err
	}
	defer r.Close()
	ls, err := asyncio.CreateSubprocessExec(ctx, []string{"ls", dir}, asyncio.WithStdoutFile(w))
	w.Close() // the child's copy is left: wc sees the end when ls has ended
	if err != nil {
		return "", err
	}
	wc, err := asyncio.CreateSubprocessExec(ctx, []string{"wc", "-l"}, asyncio.WithStdinFile(r), asyncio.WithStdout(asyncio.Pipe))
	if err != nil {
		return "", err
	}
	out, _, err := wc.Communicate(ctx, nil)
	if err != nil {
		return "", err
	}
	return text(out), ended(ctx, ls, wc)
}

// between does the same, and looks at what goes by.
func between(ctx context.Context, dir string) (counted, longest string, err error) {
	ls, err := asyncio.CreateSubprocessExec(ctx, []string{"ls", dir}, asyncio.WithStdout(asyncio.Pipe))
	if err != nil {
		return "", "", err
	}
	wc, err := asyncio.CreateSubprocessExec(ctx, []string{"wc", "-l"}, asyncio.WithStdin(asyncio.Pipe), asyncio.WithStdout(asyncio.Pipe))
	if err != nil {
		return "", "", err
	}
	err = asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
		tg.Go(func(ctx context.Context) error {
			defer wc.Stdin.Close()
			to := wc.Stdin.Writer(ctx) // its Write waits while wc is behind
			for line, err := range ls.Stdout.Lines(ctx) {
				if err != nil {
					return err
				}
				if name := text(line); len(name) > len(longest) {
					longest = name
				}
				if _, err := to.Write(line); err != nil {
					return err
				}
			}
			return nil
		})
		tg.Go(func(ctx context.Context) error {
			out, err := wc.Stdout.Read(ctx, -1)
			counted = text(out)
			return err
		})
		return nil
	})
	if err != nil {
		return "", "", err
	}
	return counted, longest, ended(ctx, ls, wc)
}

func text(b []byte) string { return strings.TrimSpace(string(b)) }

// ended waits for the programs, which must have done their work.
func ended(ctx context.Context, all ...*asyncio.Process) error {
	for _, p := range all {
		switch code, err := p.Wait(ctx); {
		case err != nil:
			return err
		case code != 0:
			return fmt.Errorf("process %d ended with %d", p.Pid(), code)
		}
	}
	return nil
}
