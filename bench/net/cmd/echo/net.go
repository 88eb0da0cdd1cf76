//go:build linux

package main

import (
	"net"
	"os/exec"
)

// serveNet is Go's net with a goroutine for each connection.
func serveNet(addr string, ready func(net.Addr)) error {
	l, err := net.Listen("tcp4", addr)
	if err != nil {
		return err
	}
	ready(l.Addr())
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer c.Close()
			buffer := make([]byte, chunk)
			for {
				n, err := c.Read(buffer)
				if err != nil {
					return
				}
				if _, err := c.Write(buffer[:n]); err != nil {
					return
				}
			}
		}()
	}
}

func spawnNet(more func() bool) error {
	for more() {
		if err := exec.Command("true").Run(); err != nil {
			return err
		}
	}
	return nil
}
