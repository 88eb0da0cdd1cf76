//go:build go1.26

package asynciotest

import (
	"testing"
	"testing/cryptotest"
)

// seedCrypto has the seed decide what crypto/rand and package crypto's algorithms draw,
// as far as t can have it: a test that is parallel cannot.
func seedCrypto(t testing.TB, seed uint64) {
	if t, ok := t.(*testing.T); ok {
		defer func() { recover() }() // it is parallel
		cryptotest.SetGlobalRandom(t, seed)
	}
}
