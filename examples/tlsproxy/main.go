// Tlsproxy stands before a server that does not know TLS: clients speak TLS to the
// proxy, and it speaks in the clear to the server behind it. The certificate is
// made when it starts.
package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	"github.com/go-greenlet/greenlet/asyncio"
)

func main() {
	if err := run(os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(w io.Writer) error {
	return asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		behind, err := asyncio.StartServer(ctx, "tcp", "127.0.0.1:0", shout)
		if err != nil {
			return err
		}
		defer behind.Close()
		cert, pool, err := certificate("proxy.example")
		if err != nil {
			return err
		}
		proxy, err := asyncio.StartServer(ctx, "tcp", "127.0.0.1:0", forward(behind.Addr().String()),
			asyncio.WithTLS(&tls.Config{Certificates: []tls.Certificate{cert}}))
		if err != nil {
			return err
		}
		defer proxy.Close()

		said := make([]string, 3)
		err = asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
			for i := range said {
				tg.Go(func(ctx context.Context) (err error) {
					said[i], err = ask(ctx, proxy.Addr().String(), &tls.Config{RootCAs: pool, ServerName: "proxy.example"}, fmt.Sprint("client ", i))
					return err
				})
			}
			return nil
		})
		for _, s := range said {
			fmt.Fprintln(w, s)
		}
		return err
	})
}

// shout is the server behind the proxy.
func shout(ctx context.Context, r *asyncio.StreamReader, w *asyncio.StreamWriter) error {
	defer w.Close()
	for line, err := range r.Lines(ctx) {
		if err != nil {
			return err
		}
		w.WriteString(strings.ToUpper(string(line)))
		if err := w.Drain(ctx); err != nil {
			return err
		}
	}
	return nil
}

// forward passes on what clients say to the server at addr, and its answers.
func forward(addr string) asyncio.StreamHandler {
	return func(ctx context.Context, r *asyncio.StreamReader, w *asyncio.StreamWriter) error {
		defer w.Close()
		from, to, err := asyncio.OpenConnection(ctx, "tcp", addr)
		if err != nil {
			return err
		}
		defer to.Close()
		return asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
			tg.Go(func(ctx context.Context) error { return relay(ctx, r, to) })
			tg.Go(func(ctx context.Context) error {
				defer w.Close() // TLS has no end of one direction: so ends the connection
				return relay(ctx, from, w)
			})
			return nil
		})
	}
}

// relay passes on what r brings. Its Write waits while w is behind.
func relay(ctx context.Context, r *asyncio.StreamReader, w *asyncio.StreamWriter) error {
	if _, err := io.Copy(w.Writer(ctx), r.Reader(ctx)); err != nil {
		return err
	}
	if w.CanWriteEOF() {
		return w.WriteEOF()
	}
	return nil
}

// ask is a client.
func ask(ctx context.Context, addr string, cfg *tls.Config, text string) (string, error) {
	r, w, err := asyncio.OpenConnection(ctx, "tcp", addr, asyncio.WithTLS(cfg))
	if err != nil {
		return "", err
	}
	w.WriteString(text + "\n")
	line, err := r.ReadLine(ctx)
	if err != nil {
		return "", err
	}
	secret := w.ExtraInfo("ssl_object").(tls.ConnectionState)
	w.Close()
	return fmt.Sprintf("%s by %s", strings.TrimSpace(string(line)), tls.VersionName(secret.Version)), w.WaitClosed(ctx)
}
