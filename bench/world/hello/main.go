// Hello is a web server that says hello, by one of several servers. It prints
// "ready HOST:PORT" when it can be asked.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/httpd"
)

// ways are the servers. All but the first of each pair are what theirs is measured
// against.
var ways = map[string]func() error{
	"httpd": func() error {
		return onLoop(func(ctx context.Context, ln net.Listener) error { return httpd.Serve(ctx, ln, mux()) })
	},
	"net/http": func() error { return onGoroutines(func(ln net.Listener) error { return http.Serve(ln, mux()) }) },
	"fasthttp in tasks": func() error {
		srv := &fasthttp.Server{Handler: fast}
		return onLoop(func(ctx context.Context, ln net.Listener) error {
			for {
				c, err := ln.Accept()
				if err != nil {
					return err
				}
				asyncio.Go(ctx, func(context.Context) error {
					defer c.Close()
					srv.ServeConn(c) // its errors are those of clients
					return nil
				})
			}
		})
	},
	"fasthttp": func() error {
		return onGoroutines(func(ln net.Listener) error { return (&fasthttp.Server{Handler: fast}).Serve(ln) })
	},
}

func main() {
	way := flag.String("way", "httpd", "which server")
	profile := flag.Duration("profile", 0, "for how long a profile of the processor is taken, into cpu.pprof")
	flag.Parse()
	if *profile > 0 {
		f, err := os.Create("cpu.pprof")
		if err != nil {
			log.Fatal(err)
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			log.Fatal(err)
		}
		time.AfterFunc(*profile, pprof.StopCPUProfile)
	}
	log.Fatal(ways[*way]())
}

const text = "Hello, world"

func hello(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain")
	io.WriteString(w, text)
}

// mux has hello, and what tells of the memory: that is no part of what is timed.
func mux() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("/", hello)
	m.HandleFunc("/memory", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, memory()) })
	return m
}

func fast(rc *fasthttp.RequestCtx) {
	if string(rc.Path()) == "/memory" {
		fmt.Fprint(rc, memory())
		return
	}
	rc.SetContentType("text/plain")
	rc.WriteString(text)
}

// memory collects garbage, and returns how many allocations there have been, and
// how many bytes are held, stacks included.
func memory() string {
	debug.FreeOSMemory() // collects twice: what pools keep goes as well
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return fmt.Sprint(m.Mallocs, m.HeapInuse+m.StackInuse)
}

func onLoop(serve func(ctx context.Context, ln net.Listener) error) error {
	return asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		ln, err := asyncio.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		fmt.Println("ready", ln.Addr())
		return serve(ctx, ln)
	})
}

func onGoroutines(serve func(ln net.Listener) error) error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("ready", ln.Addr())
	return serve(ln)
}
