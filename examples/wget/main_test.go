package main

import (
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	const want = `wget www.medium.example...
wget www.fast.example...
wget www.slow.example...
www.fast.example header > HTTP/1.0 200 OK
www.fast.example header > Server: swift/2.1
done www.fast.example
www.medium.example header > HTTP/1.0 200 OK
www.medium.example header > Server: steady/0.9
done www.medium.example
www.slow.example header > HTTP/1.0 200 OK
www.slow.example header > Server: snail/1.0
done www.slow.example
`
	var out strings.Builder
	if err := run(&out); err != nil {
		t.Fatal(err)
	}
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", &out, want)
	}
}
