package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/go-greenlet/greenlet/cmd/greenlet/internal/look"
)

// A socket is what package asyncio/sight/agent of the program listens on.
type socket struct {
	client *http.Client
	path   string
}

// Bounds of what a program may answer.
const (
	answerMost = 1 << 28 // bytes
	answerTime = 10 * time.Second
)

// socketPath is where a process of this user has its socket. It is the rule of the
// module's internal/agentsocket, said again: this module needs no other release of
// that one than the program that it looks at was built with.
func socketPath(pid int) string {
	dir := os.Getenv("XDG_RUNTIME_DIR")
	if filepath.IsAbs(dir) {
		dir = filepath.Join(dir, "greenlet")
	} else {
		dir = filepath.Join(os.TempDir(), "greenlet-"+strconv.Itoa(os.Getuid()))
	}
	return filepath.Join(dir, strconv.Itoa(pid))
}

func openSocket(pid int) (source, error) {
	path := socketPath(pid)
	if err := private(filepath.Dir(path)); err != nil {
		return nil, err
	}
	s := &socket{path: path, client: &http.Client{
		Timeout: answerTime,
		Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		}},
	}}
	if _, err := s.Look(); err != nil {
		return nil, err
	}
	return s, nil
}

// private returns an error if others could have made a socket in dir.
func private(dir string) error {
	info, err := os.Lstat(dir)
	switch {
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s is no folder", dir)
	case info.Mode().Perm()&0o022 != 0 || !mine(info):
		return fmt.Errorf("%s can be written by others", dir)
	}
	return nil
}

func (s *socket) Look() (*look.Snapshot, error) {
	answer, err := s.client.Get("http://localhost/tasks.json?all=1")
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the answer is %s", answer.Status)
	}
	var found look.Snapshot
	if err := json.NewDecoder(io.LimitReader(answer.Body, answerMost)).Decode(&found); err != nil {
		return nil, err
	}
	if found.V != 1 {
		return nil, fmt.Errorf("the answer has version %d; this command knows 1", found.V)
	}
	found.Tidy()
	return &found, nil
}

func (s *socket) Alive() error {
	c, err := net.Dial("unix", s.path)
	if err != nil {
		return err
	}
	return c.Close()
}

func (s *socket) Close() error {
	s.client.CloseIdleConnections()
	return nil
}
