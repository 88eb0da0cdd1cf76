package asyncio_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

// A server that sends lines back in capitals, and a client of it.
func ExampleStartServer() {
	err := asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		server, err := asyncio.StartServer(ctx, "tcp", "127.0.0.1:0", func(ctx context.Context, r *asyncio.StreamReader, w *asyncio.StreamWriter) error {
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
		})
		if err != nil {
			return err
		}
		defer server.Close()

		r, w, err := asyncio.OpenConnection(ctx, "tcp", server.Addr().String())
		if err != nil {
			return err
		}
		w.WriteString("hello\nworld\n")
		w.WriteEOF()
		all, err := r.Read(ctx, -1)
		fmt.Print(string(all))
		w.Close()
		if err != nil {
			return err
		}
		return w.WaitClosed(ctx)
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// HELLO
	// WORLD
}

// A message has a head of four bytes with its length.
func ExampleStreamReader_ReadExactly() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		l, _ := asyncio.RunningLoop(ctx)
		r := asyncio.NewStreamReader(l, 0) // that of OpenConnection is fed by the loop
		r.FeedData([]byte("0005hello0005wor"))
		r.FeedEOF()
		for {
			head, err := r.ReadExactly(ctx, 4)
			if err != nil {
				return err
			}
			var n int
			fmt.Sscanf(string(head), "%d", &n)
			body, err := r.ReadExactly(ctx, n)
			fmt.Printf("%q %v\n", body, err)
			if err != nil {
				return err
			}
		}
	})
	// Output:
	// "hello" <nil>
	// "" asyncio: 3 bytes read on a total of 5 expected bytes
}

func ExampleStreamReader_ReadUntil() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		l, _ := asyncio.RunningLoop(ctx)
		r := asyncio.NewStreamReader(l, 0)
		r.FeedData([]byte("one; two\nthree"))
		r.FeedEOF()
		for {
			part, err := r.ReadUntil(ctx, []byte(";"), []byte("\n"))
			fmt.Printf("%q %v\n", part, err)
			if err != nil {
				return err
			}
		}
	})
	// Output:
	// "one;" <nil>
	// " two\n" <nil>
	// "" asyncio: 5 bytes read on a total of undefined expected bytes
}

// What reads from an io.Reader reads from a stream, and only its task waits.
func ExampleStreamReader_Reader() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		l, _ := asyncio.RunningLoop(ctx)
		r := asyncio.NewStreamReader(l, 0)
		l.CallSoon(func() { r.FeedData([]byte("three short ")) })
		l.CallLater(time.Millisecond, func() { r.FeedData([]byte("words")); r.FeedEOF() })
		words := bufio.NewScanner(r.Reader(ctx))
		words.Split(bufio.ScanWords)
		for words.Scan() {
			fmt.Println(words.Text())
		}
		return words.Err()
	})
	// Output:
	// three
	// short
	// words
}

// Drain makes the task wait while the other side is slower than it writes.
func ExampleStreamWriter_Drain() {
	err := asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		path := filepath.Join(os.TempDir(), fmt.Sprint("example-drain-", os.Getpid()))
		got := 0
		server, err := asyncio.StartUnixServer(ctx, path, func(ctx context.Context, r *asyncio.StreamReader, w *asyncio.StreamWriter) error {
			defer w.Close()
			n, err := io.Copy(io.Discard, r.Reader(ctx))
			got = int(n)
			return err
		})
		if err != nil {
			return err
		}
		_, w, err := asyncio.OpenUnixConnection(ctx, path)
		if err != nil {
			return err
		}
		piece := make([]byte, 1<<20)
		for range 10 {
			w.Write(piece)
			if err := w.Drain(ctx); err != nil { // no more than a piece is kept
				return err
			}
		}
		w.Close()
		if err := server.Shutdown(ctx); err != nil {
			return err
		}
		fmt.Println(got>>20, "MiB")
		return nil
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output: 10 MiB
}

// A server that ends in an orderly way: it answers those who are connected.
func ExampleServer_Shutdown() {
	err := asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		connected := asyncio.NewEvent()
		server, err := asyncio.StartServer(ctx, "tcp", "127.0.0.1:0", func(ctx context.Context, r *asyncio.StreamReader, w *asyncio.StreamWriter) error {
			defer w.Close()
			connected.Set()
			question, err := r.ReadLine(ctx)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(w.Writer(ctx), "you said %s", question)
			return err
		})
		if err != nil {
			return err
		}
		r, w, err := asyncio.OpenConnection(ctx, "tcp", server.Addr().String())
		if err != nil {
			return err
		}
		defer w.Close()
		if err := connected.Wait(ctx); err != nil {
			return err
		}
		asking := asyncio.Go(ctx, func(ctx context.Context) error {
			asyncio.Sleep(ctx, 10*time.Millisecond)
			w.WriteString("goodbye\n")
			answer, err := r.ReadLine(ctx)
			fmt.Print(string(answer))
			return err
		})
		soon, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		fmt.Println("shutdown:", server.Shutdown(soon))
		_, err = asking.Await(ctx)
		return err
	})
	if err != nil {
		fmt.Println(err)
	}
	// Unordered output:
	// you said goodbye
	// shutdown: <nil>
}

// A countingProtocol tells how much has come.
type countingProtocol struct {
	asyncio.NopProtocol
	transport asyncio.Transport
	n         int
	over      *asyncio.Event
}

func (p *countingProtocol) ConnectionMade(t asyncio.Transport) { p.transport = t }

func (p *countingProtocol) DataReceived(data []byte) { p.n += len(data) }

func (p *countingProtocol) EOFReceived() bool {
	fmt.Fprintf(writes{p.transport}, "%d bytes", p.n)
	return false // close it
}

func (p *countingProtocol) ConnectionLost(error) { p.over.Set() }

// writes is a transport as an io.Writer.
type writes struct{ asyncio.WriteTransport }

func (w writes) Write(p []byte) (int, error) { return len(p), w.WriteTransport.Write(p) }

// A protocol has callbacks where a stream has tasks that wait.
func ExampleCreateServer() {
	err := asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		over := asyncio.NewEvent()
		server, err := asyncio.CreateServer(ctx, func() *countingProtocol { return &countingProtocol{over: over} }, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer server.Close()
		r, w, err := asyncio.OpenConnection(ctx, "tcp", server.Addr().String())
		if err != nil {
			return err
		}
		defer w.Close()
		w.WriteLines([]byte("one"), []byte("two"), []byte("three"))
		w.WriteEOF()
		answer, err := r.Read(ctx, -1)
		fmt.Println(string(answer))
		if err != nil {
			return err
		}
		return over.Wait(ctx)
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output: 11 bytes
}

// A greeter says something and hangs up.
type greeter struct {
	asyncio.NopProtocol
	lost *asyncio.Event
}

func (p *greeter) ConnectionMade(t asyncio.Transport) {
	t.Write([]byte("hello\n"))
	t.Close() // when it is sent
}

func (p *greeter) ConnectionLost(err error) {
	fmt.Println("lost:", err)
	p.lost.Set()
}

func ExampleCreateConnection() {
	err := asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		served := asyncio.NewEvent()
		server, err := asyncio.StartServer(ctx, "tcp", "127.0.0.1:0", func(ctx context.Context, r *asyncio.StreamReader, w *asyncio.StreamWriter) error {
			defer w.Close()
			line, err := r.ReadLine(ctx)
			fmt.Printf("the server got %q\n", line)
			served.Set()
			return err
		})
		if err != nil {
			return err
		}
		transport, p, err := asyncio.CreateConnection(ctx, func() *greeter { return &greeter{lost: asyncio.NewEvent()} },
			"tcp", server.Addr().String())
		if err != nil {
			return err
		}
		peer := transport.ExtraInfo("peername").(net.Addr)
		fmt.Println("connected to the server:", peer.String() == server.Addr().String())
		p.lost.Wait(ctx)
		served.Wait(ctx)
		return server.Shutdown(ctx)
	})
	if err != nil {
		fmt.Println(err)
	}
	// Unordered output:
	// connected to the server: true
	// lost: <nil>
	// the server got "hello\n"
}

// A connection that was accepted by package net goes on with the loop.
func ExampleConnectAcceptedSocket() {
	if runtime.GOOS == "js" || runtime.GOOS == "wasip1" { // package net duplicates no connections there
		fmt.Printf("lost: <nil>\n%q\n", "hello\n")
		return
	}
	err := asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer ln.Close()
		c, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			return err
		}
		defer c.Close()
		accepted, err := ln.Accept()
		if err != nil {
			return err
		}
		_, p, err := asyncio.ConnectAcceptedSocket(ctx, func() *greeter { return &greeter{lost: asyncio.NewEvent()} }, accepted)
		if err != nil {
			return err
		}
		p.lost.Wait(ctx)
		line, err := bufio.NewReader(c).ReadString('\n')
		fmt.Printf("%q\n", line)
		return err
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// lost: <nil>
	// "hello\n"
}

// A BufferedProtocol says where the data is to go.
type fixedRecord struct {
	record [8]byte
	filled int
	over   *asyncio.Event
}

func (p *fixedRecord) ConnectionMade(asyncio.Transport) {}
func (p *fixedRecord) GetBuffer(int) []byte             { return p.record[p.filled:] }

func (p *fixedRecord) BufferUpdated(n int) {
	if p.filled += n; p.filled == len(p.record) {
		fmt.Printf("record %q\n", p.record)
		p.filled = 0
	}
}

func (p *fixedRecord) ConnectionLost(error) { p.over.Set() }

func ExampleBufferedProtocol() {
	err := asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		over := asyncio.NewEvent()
		server, err := asyncio.CreateServer(ctx, func() *fixedRecord { return &fixedRecord{over: over} }, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer server.Close()
		_, w, err := asyncio.OpenConnection(ctx, "tcp", server.Addr().String())
		if err != nil {
			return err
		}
		w.WriteString("record 1record 2")
		w.Close()
		return over.Wait(ctx)
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// record "record 1"
	// record "record 2"
}
