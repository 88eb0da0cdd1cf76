// Greenlet shows what the loops, tasks and greenlets of a running program do: which
// tasks there are, where each waits and for whom, and which line keeps a loop from
// going on. It takes nothing in the program but package greenlet, and does not stop it.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"time"

	"github.com/go-greenlet/greenlet/cmd/greenlet/internal/look"
)

const usage = `Greenlet shows what the loops, tasks and greenlets of a running program do.

	greenlet ps [-json] [-all]             the processes of this user that can be looked at
	greenlet ps [-json] [-all] PID         loops and tasks: where each waits, and for whom
	greenlet pstree [-json] PID            the same as a tree: below a task those that it waits for
	greenlet top [-every 1s] PID           rates, blocked loops, longest waits, again and again
	greenlet web [-addr 127.0.0.1:0] PID   the same in a browser

On Linux it reads the memory of the process, which goes on meanwhile: that takes the
same user, or CAP_SYS_PTRACE. Where it is not possible, and with -socket, it asks the
socket that a program opens with package asyncio/sight/agent. -json writes JSON of
version 1, -all each task where there are more than 1,000.
`

// A usageError ends the program with what is wrong with its arguments, and the usage.
type usageError string

func (e usageError) Error() string { return string(e) }

func main() {
	err := run(os.Args[1:], os.Stdout)
	wrong, isUsage := err.(usageError)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Print(usage)
	case isUsage:
		fmt.Fprintf(os.Stderr, "greenlet: %s\n\n%s", clean(string(wrong)), usage)
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "greenlet:", clean(err.Error()))
		os.Exit(1)
	}
}

// Options of the commands.
type options struct {
	json, all, socket bool
	every             time.Duration
	addr              string
}

func run(args []string, w io.Writer) error {
	if len(args) == 0 {
		return usageError("a command is missing")
	}
	var o options
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.BoolVar(&o.socket, "socket", false, "")
	var command func(source, io.Writer, options) error
	switch args[0] {
	case "ps":
		command = ps
		flags.BoolVar(&o.json, "json", false, "")
		flags.BoolVar(&o.all, "all", false, "")
	case "pstree":
		command = pstree
		flags.BoolVar(&o.json, "json", false, "")
		flags.BoolVar(&o.all, "all", false, "")
	case "top":
		command = top
		flags.DurationVar(&o.every, "every", time.Second, "")
	case "web":
		command = web
		flags.StringVar(&o.addr, "addr", "127.0.0.1:0", "")
	case "help", "-h", "-help", "--help":
		return flag.ErrHelp
	default:
		return usageError(fmt.Sprintf("there is no command %q", args[0]))
	}
	var words []string
	for rest := args[1:]; ; { // flags may stand behind the number, too
		if err := flags.Parse(rest); errors.Is(err, flag.ErrHelp) {
			return err
		} else if err != nil {
			return usageError(fmt.Sprintf("%s: %v", args[0], err))
		}
		if flags.NArg() == 0 {
			break
		}
		words, rest = append(words, flags.Arg(0)), flags.Args()[1:]
	}
	switch {
	case args[0] == "top" && o.every <= 0:
		return usageError("top: -every must be more than zero")
	case args[0] == "ps" && len(words) == 0:
		return list(w, o)
	case len(words) == 0:
		return usageError(args[0] + ": the number of a process is missing")
	case len(words) > 1:
		return usageError(fmt.Sprintf("%s: one process at a time, not %d", args[0], len(words)))
	}
	pid, err := strconv.Atoi(words[0])
	if err != nil || pid <= 0 {
		return fmt.Errorf("%q is no process number", words[0])
	}
	from, err := open(pid, o)
	if err != nil {
		return err
	}
	defer from.Close()
	return command(from, w, o)
}

// A source is where snapshots of one process come from.
type source interface {
	Look() (*look.Snapshot, error)
	// Alive returns an error if the process has ended. It costs little.
	Alive() error
	Close() error
}

// open returns the memory of the process, else its socket.
func open(pid int, o options) (source, error) {
	s, socketErr := source(nil), error(nil)
	if o.socket || !look.Supported {
		if s, socketErr = openSocket(pid); socketErr != nil {
			return nil, fmt.Errorf("process %d has no socket that answers: %w; %s", pid, socketErr, howSocket)
		}
		return s, nil
	}
	p, err := look.Open(pid)
	switch {
	case err == nil:
		return p, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("there is no process %d", pid)
	case !errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("process %d: %w", pid, err)
	}
	if s, socketErr = openSocket(pid); socketErr == nil {
		return s, nil
	}
	return nil, fmt.Errorf("the memory of process %d may not be read: that takes the same user, where kernel.yama.ptrace_scope allows it, or CAP_SYS_PTRACE (%s); %s",
		pid, look.WhyForbidden(), howSocket)
}

const howSocket = `a program with import _ "github.com/go-greenlet/greenlet/asyncio/sight/agent" opens a socket at SIGUSR1, ` +
	`or at its start with GREENLET_SIGHT=1, that its user can ask without either`

// again is a look that is made again after a failure: the process changes meanwhile.
func again(from source) (s *look.Snapshot, err error) {
	for range 3 {
		if s, err = from.Look(); err == nil {
			return s, nil
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("the process has ended")
	}
	return nil, err
}
