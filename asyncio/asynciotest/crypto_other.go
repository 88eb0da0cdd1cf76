//go:build !go1.26

package asynciotest

import "testing"

// seedCrypto has no way to seed anything.
func seedCrypto(testing.TB, uint64) {}
