package simnet_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/asynciotest"
	"github.com/go-greenlet/greenlet/asyncio/simnet"
	"github.com/stretchr/testify/require"
)

const hostile = "\"><script>document.title = 'taken'</script>{{picture}}\x00\x1b\u202e\xff</svg>"

// drawn is a short run in which much happens, and what draw makes of it.
func drawn(t *testing.T, draw func(net *simnet.Network)) {
	err := asynciotest.Simulate(1, func(ctx context.Context) error {
		net := simnet.Of(ctx)
		disk := simnet.NewDisk(simnet.DiskConfig{})
		server, client, third := net.Host("server", simnet.WithDisk(disk)), net.Host("client"), net.Host(hostile)
		server.Start(func(ctx context.Context) error {
			ln, err := asyncio.Listen(ctx, "tcp", ":80")
			if err != nil {
				return err
			}
			f, err := disk.Create("a")
			if err != nil {
				return err
			}
			if _, err := f.WriteAt([]byte("x"), 0); err != nil {
				return err
			}
			if err := f.Sync(ctx); err != nil {
				return err
			}
			if _, err := f.WriteAt([]byte("y"), 0); err != nil {
				return err
			}
			for {
				c, err := ln.Accept()
				if err != nil {
					return err
				}
				asyncio.Go(ctx, func(context.Context) error { _, err := io.Copy(c, c); c.Close(); return err })
			}
		})
		asks := func(ctx context.Context) error {
			simnet.Note(ctx, "asks", hostile)
			c, err := asyncio.Dial(ctx, "tcp", "server:80")
			if err != nil {
				return err
			}
			defer c.Close()
			if _, err := c.Write([]byte("hello")); err != nil {
				return err
			}
			_, err = io.ReadFull(c, make([]byte, 5))
			return err
		}
		for _, h := range []*simnet.Host{client, third} {
			if _, err := h.Go(ctx, asks).Await(ctx); err != nil {
				return err
			}
			if err := asyncio.Sleep(ctx, time.Minute); err != nil {
				return err
			}
		}
		server.Crash()
		lost := client.Go(ctx, asks)
		if err := asyncio.Sleep(ctx, time.Second/10); err != nil {
			return err
		}
		client.Pause()
		if err := asyncio.Sleep(ctx, time.Second); err != nil {
			return err
		}
		client.Resume()
		server.Restart()
		lost.Cancel()
		third.Crash()
		draw(net)
		if _, err := lost.Await(ctx); !errors.Is(err, asyncio.ErrCancelled) {
			return err
		}
		return nil
	}, asynciotest.WithNetwork(simnet.Config{}))
	require.NoError(t, err)
}

// parsed checks that it is XML, and returns the texts of its elements by name.
func parsed(t *testing.T, svg string) map[string][]string {
	all := map[string][]string{}
	var path []string
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		token, err := d.Token()
		if err == io.EOF {
			return all
		}
		require.NoError(t, err)
		switch token := token.(type) {
		case xml.StartElement:
			path = append(path, token.Name.Local)
			all[token.Name.Local] = append(all[token.Name.Local], "")
		case xml.EndElement:
			path = path[:len(path)-1]
		case xml.CharData:
			if len(path) > 0 {
				of := all[path[len(path)-1]]
				of[len(of)-1] += string(token)
			}
		}
	}
}

func TestPicture(t *testing.T) {
	drawn(t, func(net *simnet.Network) {
		draw := func(p simnet.Picture) (string, map[string][]string) {
			var b bytes.Buffer
			require.NoError(t, net.WriteSVG(&b, p))
			return b.String(), parsed(t, b.String())
		}
		svg, all := draw(simnet.Picture{})
		require.Empty(t, all["script"], "names and notes are text")
		require.NotContains(t, svg, "\x1b")
		texts, titles := strings.Join(all["text"], "\n"), strings.Join(all["title"], "\n")
		for _, want := range []string{"client", "server", "\"><script>docum…", "asks \"><script>document.t…", "down: crashed", "disk lost: 2", "+ 59.998s"} {
			require.Contains(t, texts, want)
		}
		for _, want := range []string{"client > server: data, 5 bytes, connection 1\nsent ", "SYN: host is down", "server is down from", "client is paused from", "down from 121.108000 s to the end"} {
			require.Contains(t, titles, want)
		}
		require.NotContains(t, titles, ": ACK,")
		require.Greater(t, strings.Count(svg, `class="packet delivered`), 8)
		require.Positive(t, strings.Count(svg, `class="packet lost`))

		_, all = draw(simnet.Picture{Hosts: []string{"server", "client"}})
		require.Equal(t, []string{"server", "client"}, all["text"][:2], "columns as they are asked for")
		require.NotContains(t, strings.Join(all["title"], "\n"), "connection 2")

		_, all = draw(simnet.Picture{To: 30 * time.Second})
		require.Contains(t, strings.Join(all["title"], "\n"), "client > server")
		require.NotContains(t, strings.Join(all["title"], "\n"), "crash")
		_, all = draw(simnet.Picture{From: 30 * time.Second})
		require.NotContains(t, strings.Join(all["title"], "\n"), "connection 1\n")

		svg, all = draw(simnet.Picture{Most: 3})
		require.LessOrEqual(t, strings.Count(svg, "data-conn")+strings.Count(svg, "<circle"), 3)
		require.NotContains(t, strings.Join(all["text"], "\n"), "asks")
		svg, _ = draw(simnet.Picture{Keep: func(e simnet.Event) bool { return e.Kind == simnet.Noted }})
		require.Equal(t, 3, strings.Count(svg, "<circle"))
		require.NotContains(t, svg, "data-conn")
		draw(simnet.Picture{Keep: func(simnet.Event) bool { return false }}) // of nothing
		draw(simnet.Picture{Keep: func(simnet.Event) bool { return true }})  // of all

		first, second := bytes.Buffer{}, bytes.Buffer{}
		require.NoError(t, net.WriteHTML(&first, simnet.Picture{}))
		require.NoError(t, net.WriteHTML(&second, simnet.Picture{}))
		require.Equal(t, first.String(), second.String())
		require.NotContains(t, strings.ReplaceAll(first.String(), hostile, ""), "document.title = 'taken'</script>")
		for _, outside := range []string{"src=", "href=", "url(", "@import"} {
			require.NotContains(t, first.String(), outside, "it loads nothing")
		}
		require.Error(t, net.WriteSVG(failing{}, simnet.Picture{}))
		require.Error(t, net.WriteHTML(failing{}, simnet.Picture{}))
	})
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrShortWrite }
