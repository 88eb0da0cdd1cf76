package asyncio

import (
	"os"
	"slices"
	"syscall"
	"time"
)

// Stdio says where a standard stream of a child process leads. Python: the values
// of stdin, stdout and stderr of a subprocess.
type Stdio int

const (
	// Inherit has the child use the stream of this process. Python: None.
	Inherit Stdio = iota

	// Pipe connects the stream to this process. Python: asyncio.subprocess.PIPE.
	Pipe

	// DevNull leads nowhere: input is at its end, output is dropped. Python:
	// asyncio.subprocess.DEVNULL.
	DevNull

	// Stdout has a child's standard error go where its standard output goes. It is
	// for WithStderr. Python: asyncio.subprocess.STDOUT.
	Stdout
)

// A SubprocessOption is a choice made when a child process is started. Python:
// arguments of asyncio.create_subprocess_exec, which are those of subprocess.Popen.
type SubprocessOption interface{ forSubprocess(o *subprocessOptions) }

type subprocessOption func(*subprocessOptions)

func (f subprocessOption) forSubprocess(o *subprocessOptions) { f(o) }

type subprocessOptions struct {
	streams      [3]stream
	dir          string
	env          []string
	attr         *syscall.SysProcAttr
	extra        []*os.File
	limit        int // of the readers of a Process, in bytes; zero is the default
	killOnCancel bool
	grace        time.Duration
}

// A stream is where a standard stream of a child leads.
type stream struct {
	to     Stdio
	isFile bool
	file   *os.File
}

func streamOption(fd int, s stream) SubprocessOption {
	return subprocessOption(func(o *subprocessOptions) { o.streams[fd] = s })
}

// WithStdin says where the child's standard input comes from.
func WithStdin(s Stdio) SubprocessOption { return streamOption(0, stream{to: s}) }

// WithStdout says where the child's standard output goes.
func WithStdout(s Stdio) SubprocessOption { return streamOption(1, stream{to: s}) }

// WithStderr says where the child's standard error goes.
func WithStderr(s Stdio) SubprocessOption { return streamOption(2, stream{to: s}) }

// WithStdinFile has the child read f, which stays the caller's to close.
func WithStdinFile(f *os.File) SubprocessOption {
	return streamOption(0, stream{isFile: true, file: f})
}

// WithStdoutFile has the child write its output to f, which stays the caller's to
// close.
func WithStdoutFile(f *os.File) SubprocessOption {
	return streamOption(1, stream{isFile: true, file: f})
}

// WithStderrFile has the child write its errors to f, which stays the caller's to
// close.
func WithStderrFile(f *os.File) SubprocessOption {
	return streamOption(2, stream{isFile: true, file: f})
}

// WithDir has the child begin in a directory. Python: cwd.
func WithDir(dir string) SubprocessOption {
	return subprocessOption(func(o *subprocessOptions) { o.dir = dir })
}

// WithEnv gives the child an environment, of strings as "KEY=value", in place of
// that of this process. Python: env.
func WithEnv(env []string) SubprocessOption {
	return subprocessOption(func(o *subprocessOptions) { o.env = slices.Clip(env) })
}

// WithSysProcAttr has the child started with what only the system knows of: a
// session or group of its own, another user. Python: start_new_session,
// process_group, user and others.
func WithSysProcAttr(attr *syscall.SysProcAttr) SubprocessOption {
	return subprocessOption(func(o *subprocessOptions) { o.attr = attr })
}

// WithExtraFiles has the child inherit files: the first is its descriptor 3. They
// stay the caller's to close. Python: pass_fds.
func WithExtraFiles(files ...*os.File) SubprocessOption {
	return subprocessOption(func(o *subprocessOptions) { o.extra = files })
}

// WithPipeLimit sets the limit of the readers of a Process: how long a line may be,
// in bytes, and half of how much is kept that nobody has read. Zero or less is 64
// KiB. Python: limit.
func WithPipeLimit(bytes int) SubprocessOption {
	return subprocessOption(func(o *subprocessOptions) { o.limit = bytes })
}

// WithKillOnCancel has the child ended if a task is cancelled in Process.Wait or
// Process.Communicate, or their context ends: by SIGTERM, and after grace by
// SIGKILL; at once if grace is zero or less, or on systems without SIGTERM. The
// call returns when the child has ended. A second cancel kills it at once.
//
// Without it the child lives on, as in Python.
func WithKillOnCancel(grace time.Duration) SubprocessOption {
	return subprocessOption(func(o *subprocessOptions) { o.killOnCancel, o.grace = true, grace })
}

// chooseSubprocess returns what opts say, where each stream leads to def otherwise.
func chooseSubprocess(def Stdio, opts []SubprocessOption) *subprocessOptions {
	o := &subprocessOptions{}
	for fd := range o.streams {
		o.streams[fd].to = def
	}
	choose(o, opts, SubprocessOption.forSubprocess)
	return o
}

// check returns why a child cannot be started so.
func (o *subprocessOptions) check() error {
	for fd, s := range o.streams {
		switch {
		case s.isFile:
			if err := usable(s.file); err != nil {
				return err
			}
		case s.to < Inherit || s.to > Stdout || s.to == Stdout && fd != 2:
			return valueErrorf("%d is nowhere for descriptor %d of a child", s.to, fd)
		}
	}
	for _, f := range o.extra {
		if err := usable(f); err != nil {
			return err
		}
	}
	return nil
}

// usable returns why f cannot be given to a child: one that is closed would leave it
// without the descriptor, and the next file that it opens would get that.
func usable(f *os.File) error {
	if f == nil {
		return valueErrorf("a file was expected, got nil")
	}
	raw, err := f.SyscallConn()
	if err == nil && raw.Control(func(uintptr) {}) != nil {
		err = &os.PathError{Op: "inherit", Path: f.Name(), Err: os.ErrClosed}
	}
	return err
}
