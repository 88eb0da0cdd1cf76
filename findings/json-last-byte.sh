#!/usr/bin/env bash
# A JSON value comes over a connection, and then nothing: the other side waits for the
# answer. How many more bytes does a decoder want before it gives the value out?
#
# Guess: none for an object, an array, a string, true and null, whose end can be seen; one
# for a number, which might go on. That is what a decoder of a stream is for, and those
# that offer encoding/json's interface do as it does.
# Seen:
#   encoding/json of Go 1.26.8      one for a string, true and null, too
#   encoding/json of Go 1.27.4      as guessed
#   json-iterator v1.1.12, goccy/go-json v0.12.0, ugorji/go/codec v1.3.2   as guessed
#   segmentio/encoding v0.5.4       whatever follows: it gives the value out when the
#       connection is at its end, or has brought 32 KB
# So a protocol of bare strings stands still with Go 1.26 and runs with 1.27, unless each
# value is followed by a line end, as json.Encoder writes it; and segmentio's Decoder is
# not for a conversation.
#
# Needs Go and the module proxy, which has the second toolchain.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >go.mod <<'EOF2'
module last

go 1.26.0

require (
	github.com/goccy/go-json v0.12.0
	github.com/json-iterator/go v1.1.12
	github.com/segmentio/encoding v0.5.4
	github.com/ugorji/go/codec v1.3.2
)
EOF2
cat >main.go <<'EOF2'
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"

	goccy "github.com/goccy/go-json"
	iterator "github.com/json-iterator/go"
	segmentio "github.com/segmentio/encoding/json"
	"github.com/ugorji/go/codec"
)

type decoder interface{ Decode(any) error }

// A conversation is read piece by piece. A Read of the next piece says first that it asks.
type conversation struct {
	asks   chan bool
	pieces chan string // closed at the end
	rest   string
}

func (c *conversation) Read(b []byte) (n int, err error) {
	if c.rest == "" {
		more := false
		c.asks <- true
		if c.rest, more = <-c.pieces; !more {
			return 0, io.EOF
		}
	}
	n = copy(b, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// wanted gives a decoder a value, then line ends, one for each time that it asks for more,
// and then the end, and says how many line ends it has wanted.
func wanted(value string, open func(io.Reader) decoder) string {
	c := &conversation{asks: make(chan bool), pieces: make(chan string)}
	got := make(chan error, 1)
	go func() {
		var v any
		got <- open(c).Decode(&v)
	}()
	<-c.asks
	c.pieces <- value
	for n := 0; ; n++ {
		select {
		case err := <-got:
			if err != nil {
				return err.Error()
			}
			if n > 100 {
				return "the end"
			}
			return fmt.Sprint(n)
		case <-c.asks:
		}
		if n == 100 {
			close(c.pieces)
		} else if n < 100 {
			c.pieces <- "\n"
		}
	}
}

func show(name string, open func(io.Reader) decoder) {
	fmt.Printf("%s:", name)
	for _, value := range []string{`{"a":1}`, `[1]`, `"a"`, `true`, `null`, `12`} {
		fmt.Printf(" %s %s", value, wanted(value, open))
	}
	fmt.Println()
}

func main() {
	show("encoding/json, "+runtime.Version(), func(r io.Reader) decoder { return json.NewDecoder(r) })
	if len(os.Args) == 1 {
		return
	}
	show("json-iterator", func(r io.Reader) decoder { return iterator.NewDecoder(r) })
	show("goccy", func(r io.Reader) decoder { return goccy.NewDecoder(r) })
	show("ugorji", func(r io.Reader) decoder { return codec.NewDecoder(r, new(codec.JsonHandle)) })
	show("segmentio", func(r io.Reader) decoder { return segmentio.NewDecoder(r) })
}
EOF2
go mod tidy >/dev/null 2>&1
{
	GOTOOLCHAIN=go1.27.4 go run .
	GOTOOLCHAIN=go1.26.8 go run . all
} 2>log | tee seen
diff seen - <<'EOF2'
encoding/json, go1.27.4: {"a":1} 0 [1] 0 "a" 0 true 0 null 0 12 1
encoding/json, go1.26.8: {"a":1} 0 [1] 0 "a" 1 true 1 null 1 12 1
json-iterator: {"a":1} 0 [1] 0 "a" 0 true 0 null 0 12 1
goccy: {"a":1} 0 [1] 0 "a" 0 true 0 null 0 12 1
ugorji: {"a":1} 0 [1] 0 "a" 0 true 0 null 0 12 1
segmentio: {"a":1} the end [1] the end "a" the end true the end null the end 12 the end
EOF2
echo "as it was seen"
