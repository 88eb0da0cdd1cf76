//go:build !unix

package asyncio

import (
	"errors"
	"fmt"
	"os"
	"runtime"
)

// Here pipes cannot be watched, so there are no transports for them.

var errNoPipes = fmt.Errorf("asyncio: pipes on %s: %w", runtime.GOOS, errors.ErrUnsupported)

func duplicate(*os.File) (int, error)                { return -1, errNoPipes }
func pipeKind(int) (bool, error)                     { return false, errNoPipes }
func newPipe(bool) (int, *os.File, error)            { return -1, nil, errNoPipes }
func closeDescriptor(int)                            {}
func readDescriptor(int, []byte) (int, bool, error)  { return 0, false, errNoPipes }
func writeDescriptor(int, []byte) (int, bool, error) { return 0, false, errNoPipes }

var errBrokenPipe = errNoPipes
