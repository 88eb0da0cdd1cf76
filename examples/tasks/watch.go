package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/go-greenlet/greenlet/asyncio"
)

// counts are the numbers of the queue.
type counts struct{ done, aside, left int }

func (c counts) finished() int { return c.done + c.aside }

func (q *queue) count(ctx context.Context) (c counts, err error) {
	err = retry(ctx, func(ctx context.Context) error {
		done, err := q.done.Status(ctx)
		if err != nil {
			return err
		}
		aside, err := q.aside.Status(ctx)
		if err != nil {
			return err
		}
		tasks, err := q.tasks.Info(ctx)
		if err != nil {
			return err
		}
		c = counts{int(done.Values()), int(aside.Values()), int(tasks.State.Msgs)}
		return nil
	})
	return c, err
}

// watch shows how the work goes on until o.n tasks have an outcome and none is
// left, or, if o.n is zero, until none is left. What is said meanwhile is printed
// above.
func watch(ctx context.Context, o options, out io.Writer, said *asyncio.Queue[string]) (counts, error) {
	q, err := connect(ctx, o)
	if err != nil {
		return counts{}, err
	}
	defer q.close()
	var last counts
	for show := progress(out, o.n); ; {
		c, err := q.count(ctx)
		if err != nil {
			return c, err
		}
		var lines []string
		for !said.Empty() {
			line, _ := said.GetNowait()
			lines = append(lines, line)
		}
		over := c.left == 0 && c.finished() >= o.n
		if c != last || len(lines) > 0 || over {
			show(c, lines, over)
			last = c
		}
		if over {
			return c, nil
		}
		if err := asyncio.Sleep(ctx, time.Second/5); err != nil {
			return c, err
		}
	}
}

// progress returns what shows numbers: on a terminal as a line that is drawn anew,
// with the rate and the time that is left; elsewhere as lines.
func progress(out io.Writer, total int) func(c counts, said []string, over bool) {
	if f, ok := out.(*os.File); !ok || !term.IsTerminal(int(f.Fd())) {
		return func(c counts, said []string, over bool) {
			for _, line := range said {
				fmt.Fprintln(out, line)
			}
			fmt.Fprintf(out, "%d done, %d set aside, %d left\n", c.done, c.aside, c.left)
		}
	}
	bar := progressbar.NewOptions(max(total, 1),
		progressbar.OptionSetWriter(out),
		progressbar.OptionSetDescription("tasks"),
		progressbar.OptionSetWidth(30),
		progressbar.OptionSetItsString("task"),
		progressbar.OptionShowIts(),
		progressbar.OptionShowCount(),
	)
	return func(c counts, said []string, over bool) {
		if len(said) > 0 {
			bar.Clear()
			fmt.Fprintln(out, strings.Join(said, "\n"))
		}
		if all := c.finished() + c.left; all > bar.GetMax() {
			bar.ChangeMax(all)
		}
		bar.Set(c.finished())
		if over {
			fmt.Fprintln(out)
		}
	}
}

// listen puts what r brings into said, line by line.
func listen(ctx context.Context, r *asyncio.StreamReader, said *asyncio.Queue[string]) error {
	for {
		line, err := r.ReadLine(ctx)
		if len(line) == 0 || err != nil {
			return err
		}
		said.PutNowait(strings.TrimSpace(string(line)))
	}
}
