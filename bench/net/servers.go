//go:build linux

package main

import (
	"bufio"
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-greenlet/greenlet/bench/net/process"
)

// The names of the servers, as the tables show them.
const (
	conn      = "greenlet, net.Conn"
	streams   = "greenlet, streams"
	into      = "greenlet, streams, ReadInto"
	protocol  = "greenlet, protocol"
	inC       = "C, epoll"
	inUring   = "C, io_uring"
	gnet      = "gnet, one loop"
	goNet     = "Go net"
	uvProto   = "uvloop, protocol"
	uvStreams = "uvloop, streams"
	pyProto   = "asyncio, protocol"
	pyStreams = "asyncio, streams"
)

// A server is a program that answers "ready HOST:PORT" when it can be asked.
type server struct {
	name  string
	args  []string
	spawn []string // measures how often a child can be started; nil: not measured
}

// build builds all programs, and leaves out the servers that this machine cannot
// have, saying why. With CI set those in Go and in C with epoll may not be missing.
func (p *plan) build(bin string, only *regexp.Regexp) error {
	for _, program := range []string{"load", "echo"} {
		if err := goBuild(bin, program); err != nil {
			return err
		}
	}
	p.load = bin + "/load"
	text, err := exec.Command(bin+"/echo", "-modes").Output()
	if err != nil {
		return fmt.Errorf("echo -modes: %w", err)
	}
	modes := strings.Fields(string(text))
	span := fmt.Sprint(p.each)

	must := os.Getenv("CI") == "true"
	add := func(s server, needed bool, missing func() error) error {
		if !only.MatchString(s.name) {
			return nil
		}
		if err := missing(); err != nil {
			if needed && must {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			log.Printf("skipped %s: %v", s.name, err)
			return nil
		}
		p.servers = append(p.servers, s)
		return nil
	}
	ours := func(name, mode string) error {
		s := server{name, []string{bin + "/echo", "-mode", mode}, nil}
		if mode == "conn" || mode == "net" {
			s.spawn = append(slices.Clone(s.args), "-spawn", span)
		}
		return add(s, mode == "net", func() error {
			if !slices.Contains(modes, mode) {
				return fmt.Errorf("cmd/echo has no mode %s yet", mode)
			}
			return nil
		})
	}
	python := interpreter()
	inPython := func(name, library, face string) error {
		s := server{name, []string{python, "peers/echo.py", library, face}, nil}
		if face == "streams" {
			s.spawn = []string{python, "peers/echo.py", library, "spawn", fmt.Sprint(p.each.Seconds())}
		}
		return add(s, false, func() error { return imports(python, library) })
	}
	return errors.Join(
		ours(conn, "conn"),
		ours(streams, "streams"),
		ours(into, "streams-into"),
		ours(protocol, "protocol"),
		add(server{inC, []string{bin + "/epoll"}, nil}, true, func() error { return buildC("peers/echo.c", bin+"/epoll") }),
		add(server{inUring, []string{bin + "/uring"}, nil}, false, func() error { return buildUring(bin + "/uring") }),
		add(server{gnet, []string{bin + "/gnet"}, nil}, true, func() error { return goBuild(bin, "gnet") }),
		ours(goNet, "net"),
		inPython(uvProto, "uvloop", "protocol"),
		inPython(uvStreams, "uvloop", "streams"),
		inPython(pyProto, "asyncio", "protocol"),
		inPython(pyStreams, "asyncio", "streams"),
	)
}

func goBuild(bin, program string) error {
	text, err := exec.Command("go", "build", "-o", bin+"/"+program, "./cmd/"+program).CombinedOutput()
	if err != nil {
		return fmt.Errorf("go build ./cmd/%s: %w\n%s", program, err, text)
	}
	return nil
}

func buildC(source, out string) error {
	if _, err := exec.LookPath("gcc"); err != nil {
		return errors.New("there is no gcc")
	}
	text, err := exec.Command("gcc", "-O2", "-Wall", "-o", out, source).CombinedOutput()
	if err != nil {
		return fmt.Errorf("gcc %s: %w\n%s", source, err, text)
	}
	return nil
}

// buildUring asks the kernel as well, which may be too old for io_uring or may
// keep it from us: containers mostly do.
func buildUring(out string) error {
	if err := buildC("peers/uring.c", out); err != nil {
		return err
	}
	text, err := exec.Command(out, "-check").CombinedOutput()
	if err != nil {
		return errors.New("the kernel refuses: " + lastLine(text))
	}
	return nil
}

// interpreter is one that has uvloop, if there is one.
func interpreter() string {
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		if imports(python, "uvloop") == nil {
			return python
		}
	}
	return "python3"
}

func imports(python, library string) error {
	text, err := exec.Command(python, "-c", "import "+library).CombinedOutput()
	if err != nil && len(text) > 0 {
		return errors.New("Debian has python3-uvloop: " + strings.TrimSpace(lastLine(text)))
	}
	return err
}

func lastLine(text []byte) string {
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return lines[len(lines)-1]
}

// A running server.
type running struct {
	server
	addr string
	cmd  *exec.Cmd
}

// Where the two sides run, if there are two processors.
const (
	serverCPU = 0
	loadCPU   = 1
)

// prepare makes the command of a program that has one processor.
func prepare(args []string) *exec.Cmd {
	c := exec.Command(args[0], args[1:]...)
	c.Env = append(os.Environ(), "GOMAXPROCS=1")
	c.Stderr = os.Stderr
	return c
}

func (s server) start(cpu int) (*running, error) {
	c := prepare(s.args)
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := process.Start(c, cpu); err != nil {
		return nil, fmt.Errorf("%s: %w", s.name, err)
	}
	r := &running{server: s, cmd: c}
	late := time.AfterFunc(30*time.Second, func() { c.Process.Kill() })
	defer late.Stop()
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if addr, ok := strings.CutPrefix(lines.Text(), "ready "); ok {
			r.addr = addr
			return r, nil
		}
	}
	c.Process.Kill()
	return nil, fmt.Errorf("%s: does not get ready: %w", s.name, c.Wait())
}

func (r *running) stop() {
	r.cmd.Process.Kill()
	r.cmd.Wait()
}
