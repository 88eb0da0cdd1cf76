package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
)

// Prometheus' own parser takes the metrics, and finds in them what they are to be.
func TestMetrics(t *testing.T) {
	server := httptest.NewServer(newHandler())
	defer server.Close()
	during(t, func(ctx context.Context) error { return run(ctx, 10, 0) }, func() {
		var text []byte
		var kindOfText string
		for !bytes.Contains(text, []byte("_bucket{")) { // until the watchdog has begun
			resp, err := http.Get(server.URL + "/debug/sight/metrics")
			if err != nil {
				t.Fatal(err)
			}
			text, err = io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil {
				t.Fatal(err)
			}
			kindOfText = resp.Header.Get("Content-Type")
		}
		p, err := textparse.New(text, kindOfText, "", false, false, false, labels.NewSymbolTable())
		if err != nil {
			t.Fatal(err)
		}
		if _, strict := p.(*textparse.OpenMetricsParser); !strict {
			t.Fatalf("the parser of the content type is a %T", p)
		}
		var kind string
		seen := make(map[string]bool)
		for {
			entry, err := p.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%v in\n%s", err, text)
			}
			switch entry {
			case textparse.EntryType:
				_, of := p.Type()
				kind = string(of)
			case textparse.EntrySeries:
				var l labels.Labels
				p.Labels(&l)
				name := l.Get("__name__")
				if seen[l.String()] {
					t.Errorf("%s is there twice", l)
				}
				seen[l.String()] = true
				if kind == "counter" && !strings.HasSuffix(name, "_total") {
					t.Errorf("%s is a counter", name)
				}
				if strings.HasPrefix(name, "asyncio_") && l.Get("loop") == "" {
					t.Errorf("%s has no loop", l)
				}
			}
		}
		for _, want := range []string{
			`{__name__="asyncio_tasks", loop="shop"}`,
			`{__name__="asyncio_tasks_ended_total", loop="shop", outcome="panic"}`,
			`{__name__="asyncio_loop_lag_seconds_bucket", le="0.001", loop="shop"}`,
			`{__name__="asyncio_loop_lag_seconds_bucket", le="+Inf", loop="shop"}`,
			`{__name__="greenlet_collected_total"}`,
		} {
			if !seen[want] {
				t.Errorf("there is no %s in\n%s", want, text)
			}
		}
	})
}
