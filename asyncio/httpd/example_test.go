package httpd_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/httpd"
)

// A handler of net/http runs in a task: it may wait with the request's context,
// and the loop goes on with the others.
func ExampleServe() {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /tea", func(w http.ResponseWriter, r *http.Request) {
		if err := asyncio.Sleep(r.Context(), time.Millisecond); err != nil {
			return // the client is gone
		}
		fmt.Fprint(w, "tea is ready")
	})
	err := asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		ln, err := asyncio.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		srv := httpd.New(&http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second})
		serving := asyncio.Go(ctx, func(ctx context.Context) error { return srv.Serve(ctx, ln) })

		answer, err := asyncio.ToThread(ctx, func(context.Context) (string, error) { // the client blocks
			defer http.DefaultClient.CloseIdleConnections()
			resp, err := http.Get("http://" + ln.Addr().String() + "/tea")
			if err != nil {
				return "", err
			}
			defer resp.Body.Close()
			text, err := io.ReadAll(resp.Body)
			return string(text), err
		})
		fmt.Println(answer, err)

		fmt.Println(srv.Shutdown(ctx))
		_, err = serving.Await(ctx)
		fmt.Println(err)
		return nil
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// tea is ready <nil>
	// <nil>
	// http: Server closed
}
