package asyncio_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

// A server and a client of TLS. The Configs are those of crypto/tls: the server's
// has its certificate, the client's says whom it trusts.
func ExampleWithTLS() {
	serverConfig, clientConfig, err := asyncio.TLSConfigs()
	if err != nil {
		fmt.Println(err)
		return
	}
	err = asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		server, err := asyncio.StartServer(ctx, "tcp", "127.0.0.1:0", func(ctx context.Context, r *asyncio.StreamReader, w *asyncio.StreamWriter) error {
			defer w.Close()
			name, err := r.ReadLine(ctx)
			if err != nil {
				return err
			}
			w.WriteString("hello, " + string(name))
			return w.Drain(ctx)
		}, asyncio.WithTLS(serverConfig))
		if err != nil {
			return err
		}
		defer server.Close()

		// A server that does not answer must not hold up the client for a minute.
		r, w, err := asyncio.OpenConnection(ctx, "tcp", server.Addr().String(),
			asyncio.WithTLS(clientConfig, asyncio.WithTLSHandshakeTimeout(10*time.Second)))
		if err != nil {
			return err
		}
		state := w.ExtraInfo("ssl_object").(tls.ConnectionState)
		fmt.Println(tls.VersionName(state.Version), "with", state.PeerCertificates[0].Subject.CommonName)
		w.WriteString("world\n")
		line, err := r.ReadLine(ctx)
		if err != nil {
			return err
		}
		fmt.Print(string(line))
		w.Close()
		return w.WaitClosed(ctx)
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// TLS 1.3 with example.test
	// hello, world
}

// A connection that begins in the clear and goes over to TLS, as those of mail
// servers and databases do.
func ExampleStreamWriter_StartTLS() {
	serverConfig, clientConfig, err := asyncio.TLSConfigs()
	if err != nil {
		fmt.Println(err)
		return
	}
	err = asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		server, err := asyncio.StartServer(ctx, "tcp", "127.0.0.1:0", func(ctx context.Context, r *asyncio.StreamReader, w *asyncio.StreamWriter) error {
			defer w.Close()
			for {
				line, err := r.ReadLine(ctx)
				if err != nil {
					return err
				}
				switch string(line) {
				case "STARTTLS\n":
					w.WriteString("go ahead\n")
					if err := w.StartTLS(ctx, serverConfig); err != nil {
						return err
					}
				case "SECRET\n":
					if w.ExtraInfo("ssl_object") == nil {
						w.WriteString("not in the clear\n")
						continue
					}
					w.WriteString("it is 42\n")
					return w.Drain(ctx)
				}
			}
		})
		if err != nil {
			return err
		}
		defer server.Close()

		r, w, err := asyncio.OpenConnection(ctx, "tcp", server.Addr().String())
		if err != nil {
			return err
		}
		ask := func(what string) error {
			w.WriteString(what + "\n")
			line, err := r.ReadLine(ctx)
			fmt.Printf("%s: %s", what, line)
			return err
		}
		if err := ask("SECRET"); err != nil {
			return err
		}
		if err := ask("STARTTLS"); err != nil {
			return err
		}
		if err := w.StartTLS(ctx, clientConfig); err != nil {
			return err
		}
		if err := ask("SECRET"); err != nil {
			return err
		}
		w.Close()
		return w.WaitClosed(ctx)
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// SECRET: not in the clear
	// STARTTLS: go ahead
	// SECRET: it is 42
}

// An echoing protocol and one that asks it.
func ExampleCreateDatagramEndpoint() {
	err := asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		server, _, err := asyncio.CreateDatagramEndpoint(ctx, func() *datagramEcho { return new(datagramEcho) },
			"udp", asyncio.WithLocalAddr("127.0.0.1:0"))
		if err != nil {
			return err
		}
		defer server.Close()

		client, asked, err := asyncio.CreateDatagramEndpoint(ctx, func() *datagramAsk {
			return &datagramAsk{answer: asyncio.NewEvent()}
		}, "udp", asyncio.WithRemoteAddr(server.ExtraInfo("sockname").(net.Addr).String()))
		if err != nil {
			return err
		}
		defer client.Close()
		client.SendTo([]byte("hello"), nil)
		if err := asked.answer.Wait(ctx); err != nil {
			return err
		}
		fmt.Println("back came", asked.text)
		return nil
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// the server gets hello
	// back came hello
}

type datagramEcho struct{ t asyncio.DatagramTransport }

func (e *datagramEcho) ConnectionMade(t asyncio.DatagramTransport) { e.t = t }
func (e *datagramEcho) ErrorReceived(error)                        {}
func (e *datagramEcho) ConnectionLost(error)                       {}

func (e *datagramEcho) DatagramReceived(data []byte, from net.Addr) {
	fmt.Println("the server gets", string(data))
	e.t.SendTo(data, from)
}

type datagramAsk struct {
	text   string
	answer *asyncio.Event
}

func (a *datagramAsk) ConnectionMade(asyncio.DatagramTransport) {}
func (a *datagramAsk) ErrorReceived(err error)                  { fmt.Println(err) }
func (a *datagramAsk) ConnectionLost(error)                     {}

func (a *datagramAsk) DatagramReceived(data []byte, _ net.Addr) {
	a.text = string(data)
	a.answer.Set()
}
