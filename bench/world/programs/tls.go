//go:build linux

package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/bench/net/process"
)

// tlsEcho sends back what it gets, by crypto/tls, which knows nothing of tasks: it has a
// net.Conn that is asyncio's.
var tlsEcho = program{
	name: "tls", title: "TLS echo of 1 KiB", unit: "message", n: 1500, short: 150,
	ways: []way{
		{name: "crypto/tls in tasks", run: askEcho("crypto/tls in tasks")},
		{name: "crypto/tls on goroutines", run: askEcho("crypto/tls on goroutines")},
	},
	serve: map[string]func() error{"crypto/tls in tasks": echoInTasks, "crypto/tls on goroutines": echoOnGoroutines},
}

const (
	talkers = 50
	message = 1024
)

func echoInTasks() error {
	cfg, err := certified()
	if err != nil {
		return err
	}
	return asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		ln, err := asyncio.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		fmt.Println("ready", ln.Addr())
		for {
			c, err := ln.Accept()
			if err != nil {
				return err
			}
			asyncio.Go(ctx, func(context.Context) error { echo(tls.Server(c, cfg)); return nil })
		}
	})
}

func echoOnGoroutines() error {
	cfg, err := certified()
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("ready", ln.Addr())
	for {
		c, err := ln.Accept()
		if err != nil {
			return err
		}
		go echo(tls.Server(c, cfg))
	}
}

// echo serves a connection until its client has gone.
func echo(c net.Conn) {
	defer c.Close()
	for p := make([]byte, 4096); ; {
		n, err := c.Read(p)
		if err != nil {
			return
		}
		if _, err := c.Write(p[:n]); err != nil {
			return
		}
	}
}

// certified has a certificate that is good for an hour, and for nobody.
func certified() (*tls.Config, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	about := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, about, about, &key.PublicKey, key)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, err
}

// askEcho starts a server and talks to it.
func askEcho(way string) func(r run) (result, error) {
	return func(r run) (found result, err error) {
		s, err := startServer("tls", way, r)
		if err != nil {
			return found, err
		}
		defer s.end()
		conns := make([]*tls.Conn, talkers)
		for i := range conns {
			conns[i], err = tls.Dial("tcp", s.addr, &tls.Config{InsecureSkipVerify: true}) // it is on this machine
			if err != nil {
				return found, err
			}
			defer conns[i].Close()
		}
		each := time.Duration(r.n) * time.Millisecond
		if _, err := talk(conns, each/4); err != nil { // to warm up
			return found, err
		}
		used, err := process.Clock(s.Process.Pid)
		if err != nil {
			return found, err
		}
		begin := time.Now()
		n, err := talk(conns, each)
		if err != nil {
			return found, err
		}
		found = result{N: float64(n), Wall: time.Since(begin).Seconds(), Check: "the same came back"}
		now, err := process.Clock(s.Process.Pid)
		if err != nil {
			return found, err
		}
		found.Processor = (now - used).Seconds()
		found.Memory, err = peak(s.Process.Pid)
		return found, err
	}
}

// talk sends messages over each connection, each after the answer to the one before.
func talk(conns []*tls.Conn, each time.Duration) (int64, error) {
	var all sync.WaitGroup
	var total atomic.Int64
	var over atomic.Bool
	failed := make(chan error, len(conns))
	time.AfterFunc(each, func() { over.Store(true) })
	for i, c := range conns {
		all.Go(func() {
			out, in := bytes.Repeat([]byte{byte(i)}, message), make([]byte, message)
			for !over.Load() {
				if _, err := c.Write(out); err != nil {
					failed <- err
					return
				}
				if _, err := io.ReadFull(c, in); err != nil || !bytes.Equal(in, out) {
					failed <- fmt.Errorf("what came back is %.10q, %w", in, err)
					return
				}
				total.Add(1)
			}
		})
	}
	all.Wait()
	select {
	case err := <-failed:
		return 0, err
	default:
		return total.Load(), nil
	}
}
