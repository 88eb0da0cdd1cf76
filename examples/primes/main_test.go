package main

import (
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/go-greenlet/greenlet/asyncio"
)

func TestMain(m *testing.M) {
	asyncio.ProcessWorker()
	os.Exit(m.Run())
}

func TestRun(t *testing.T) {
	if runtime.GOOS == "js" || runtime.GOOS == "wasip1" {
		t.Skip("no processes here")
	}
	if os.Getenv("TEST_EXEC") != "" {
		t.Skip("an emulator cannot start the program again")
	}
	const want = `  2762 primes from 0
  2371 primes from 25000
  2260 primes from 50000
  2199 primes from 75000
  9592 in all
`
	var out strings.Builder
	if err := run(&out); err != nil {
		t.Fatal(err)
	}
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", &out, want)
	}
}
