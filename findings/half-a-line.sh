#!/usr/bin/env bash
# A connection brings the first half of a line, and then the read fails, by a deadline.
# Which of the standard library's readers hand out the half as if it were the line, and
# what comes when the deadline is moved and the rest arrives?
#
# The line is "pay 1000", cut after "pay 10".
#
# Guess: a reader of lines or of values gives an error, and no half line without one.
# Seen: with Go 1.26.8
#   bufio.Scanner       gives "pay 10", and true; only its next Scan says that there was
#                       an error, and it never goes on
#   bufio ReadLine      gives "pay 10", no error; the next call gives "00"
#   textproto ReadLine  the same
#   bufio ReadString    gives "pay 10" with the error; the next call gives "00"
#   csv                 gives "pay 10" with the error; the next call gives "00"
#   json                gives the error, and goes on giving it
# The error of the read is lost in the second and third: nobody ever returns it. A
# deadline, a reset and a cancelled read are all the same to them.
# So where half a command would be a command, read with ReadString or ReadSlice, and look
# at the error first.
#
# Needs Go. Traffic is to the loopback.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >go.mod <<'EOF2'
module half

go 1.26.0
EOF2
cat >main.go <<'EOF2'
package main

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"os"
	"time"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// A reader makes a function that reads the next line, or value.
type reader func(r io.Reader) func() (string, error)

func try(name string, first, rest []byte, make reader) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	defer ln.Close()
	far, err := net.Dial("tcp", ln.Addr().String())
	must(err)
	defer far.Close()
	near, err := ln.Accept()
	must(err)
	defer near.Close()
	next := make(near)
	_, err = far.Write(first)
	must(err)
	show := func() string {
		v, err := next()
		switch {
		case err == nil:
			return fmt.Sprintf("%q", v)
		case errors.Is(err, os.ErrDeadlineExceeded):
			return fmt.Sprintf("%q and the error", v)
		}
		return err.Error()
	}
	must(near.SetReadDeadline(time.Now().Add(500 * time.Millisecond)))
	before := show()
	must(near.SetReadDeadline(time.Time{}))
	_, err = far.Write(rest)
	must(err)
	fmt.Printf("%s: %s, then %s\n", name, before, show())
}

func main() {
	first, rest := []byte("pay 10"), []byte("00\n")
	try("bufio.Scanner", first, rest, func(r io.Reader) func() (string, error) {
		s := bufio.NewScanner(r)
		return func() (string, error) {
			if s.Scan() {
				return s.Text(), nil
			}
			return "", s.Err()
		}
	})
	try("bufio ReadLine", first, rest, func(r io.Reader) func() (string, error) {
		b := bufio.NewReader(r)
		return func() (string, error) {
			line, _, err := b.ReadLine()
			return string(line), err
		}
	})
	try("textproto ReadLine", first, rest, func(r io.Reader) func() (string, error) {
		return textproto.NewReader(bufio.NewReader(r)).ReadLine
	})
	try("bufio ReadString", first, rest, func(r io.Reader) func() (string, error) {
		b := bufio.NewReader(r)
		return func() (string, error) { return b.ReadString('\n') }
	})
	try("csv", first, rest, func(r io.Reader) func() (string, error) {
		c := csv.NewReader(r)
		return func() (string, error) {
			fields, err := c.Read()
			return fields[0], err
		}
	})
	try("json", []byte("10"), rest, func(r io.Reader) func() (string, error) {
		d := json.NewDecoder(r)
		return func() (s string, err error) {
			var n int
			if err = d.Decode(&n); err == nil {
				s = fmt.Sprint(n)
			}
			return s, err
		}
	})
}
EOF2
go run . | tee seen
diff seen - <<'EOF2'
bufio.Scanner: "pay 10", then "" and the error
bufio ReadLine: "pay 10", then "00"
textproto ReadLine: "pay 10", then "00"
bufio ReadString: "pay 10" and the error, then "00\n"
csv: "pay 10" and the error, then "00"
json: "" and the error, then "" and the error
EOF2
echo "as it was seen"
