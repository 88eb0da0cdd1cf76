package asynciotest_test

import (
	"testing"

	"github.com/go-greenlet/greenlet/greenlettest"
)

// TestMain runs the tests and then looks for what they have left behind.
func TestMain(m *testing.M) { greenlettest.Main(m) }
