package look

import (
	"os"
	"testing"

	"github.com/go-greenlet/greenlet/cmd/greenlet/internal/target"
)

func TestMain(m *testing.M) {
	code := m.Run()
	target.Clean()
	os.Exit(code)
}
