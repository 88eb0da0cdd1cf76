//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package asyncio_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/go-greenlet/greenlet/asyncio"
)

// A server answers with a file.
func ExampleSendFile() {
	dir, _ := os.MkdirTemp("", "")
	defer os.RemoveAll(dir)
	page := filepath.Join(dir, "page")
	os.WriteFile(page, []byte("<p>A page from the disk."), 0o600)

	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		server, err := asyncio.StartServer(ctx, "tcp", "127.0.0.1:0",
			func(ctx context.Context, r *asyncio.StreamReader, w *asyncio.StreamWriter) error {
				defer w.Close()
				f, err := os.Open(page)
				if err != nil {
					return err
				}
				defer f.Close()
				w.WriteString("here it is: ")
				n, err := w.Transport().Loop().SendFile(ctx, w.Transport(), f, 0, 0)
				fmt.Println(n, "bytes of the file, error", err)
				return w.WriteString(" That is all.")
			})
		if err != nil {
			return err
		}
		defer server.Close()
		r, w, err := asyncio.OpenConnection(ctx, "tcp", server.Addr().String())
		if err != nil {
			return err
		}
		defer w.Close()
		all, err := r.Read(ctx, -1)
		fmt.Printf("%s\n", all)
		return err
	})
	// Output:
	// 24 bytes of the file, error <nil>
	// here it is: <p>A page from the disk. That is all.
}
