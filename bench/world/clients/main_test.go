//go:build linux

package main

import (
	"testing"

	"github.com/go-greenlet/greenlet/internal/servers"
)

// Everything, short.
func TestQuick(t *testing.T) {
	for _, w := range works {
		t.Run(w.name, func(t *testing.T) {
			var server string
			if w.name == "crawl" {
				server = slowServer()
			} else {
				server = servers.Address(t, servers.MariaDB)
			}
			for _, on := range w.ways {
				r, err := on.run(300, server)
				if err != nil || r.Wall <= 0 || r.Processor <= 0 || r.Allocs <= 0 {
					t.Errorf("%s: %+v, %v", on.name, r, err)
				}
			}
		})
	}
}
