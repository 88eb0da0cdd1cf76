// Package servers gives tests real servers to talk to: see tools/servers.sh.
package servers

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// The servers that there are.
const (
	MariaDB  = "mariadb"  // its address is a DSN of go-sql-driver/mysql
	Postgres = "postgres" // a URL
	Redis    = "redis"    // a URL
	Chromium = "chromium" // no server: the path of the program
)

// Address returns the address of the server name, which runs on the loopback until
// the process ends. If the environment names one, that is it. Else the first call
// starts it, and installs it where that is possible; a test that cannot have it is
// skipped, but fails if CI is true.
func Address(t testing.TB, name string) string {
	t.Helper()
	mu.Lock()
	defer mu.Unlock()
	s := started[name]
	if s == nil {
		s = start(name)
		started[name] = s
	}
	s.check(t)
	return s.address
}

var (
	mu      sync.Mutex
	started = map[string]*server{}
)

// A Server is one that a test has for itself.
type Server struct {
	Address string
	of      *server
}

// Own starts a server that no other test uses, also if the environment names one.
// It is stopped when the test is over. A test that cannot have it is skipped, but
// fails if CI is true.
func Own(t testing.TB, name string) *Server {
	t.Helper()
	s := start(name, "MYSQL_DSN=", "POSTGRES_URL=", "REDIS_URL=")
	s.check(t)
	t.Cleanup(func() {
		s.hold.Close()
		s.script.Wait()
	})
	return &Server{Address: s.address, of: s}
}

// Kill kills the server's process, by SIGKILL. It returns when that is dead.
func (s *Server) Kill() error { return s.of.tell("kill", "killed") }

// Start starts the server anew, with its data, at its address. It returns when it
// answers, which may take seconds: a task calls it in a thread.
func (s *Server) Start() error { return s.of.tell("start", "started") }

type server struct {
	address string
	err     error
	hold    *os.File // the script stops the server when this ends, with the process
	out     *bufio.Reader
	script  *exec.Cmd
}

func (s *server) check(t testing.TB) {
	t.Helper()
	switch {
	case s.err == nil:
	case os.Getenv("CI") == "true":
		t.Fatal(s.err)
	default:
		t.Skip(s.err)
	}
}

// tell says a line to the script, and waits for another.
func (s *server) tell(line, answer string) error {
	if _, err := fmt.Fprintln(s.hold, line); err != nil {
		return err
	}
	said, err := s.out.ReadString('\n')
	if said != answer+"\n" {
		return fmt.Errorf("the script that holds the server says %q to %s, %v", said, line, err)
	}
	return nil
}

func start(name string, env ...string) *server {
	_, here, _, _ := runtime.Caller(0)
	script := filepath.Join(filepath.Dir(here), "..", "..", "tools", "servers.sh")
	in, hold, err := os.Pipe()
	if err != nil {
		return &server{err: err}
	}
	defer in.Close()
	var said bytes.Buffer
	cmd := exec.Command("bash", script, "hold", name)
	cmd.Stdin, cmd.Stderr, cmd.Env = in, &said, append(os.Environ(), env...)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return &server{err: err}
	}
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	if err != nil {
		err = errors.Join(errors.New(strings.TrimSpace(said.String())), cmd.Wait())
		return &server{err: fmt.Errorf("there is no %s: %w", name, err)}
	}
	return &server{address: strings.TrimSpace(line), hold: hold, out: lines, script: cmd}
}
