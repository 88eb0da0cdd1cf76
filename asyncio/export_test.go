package asyncio

import (
	"os"
	"strings"
)

// Emulator is what must stand before a program's name to start it, where the
// tests run in an emulator.
var Emulator = strings.Fields(os.Getenv("TEST_EXEC"))

func init() { emulator = Emulator }
