package gl205

import (
	"errors"

	"github.com/go-greenlet/greenlet/asyncio"
)

// A table of errors.
type row struct{ want error }

func (r row) isOfCancel() bool { return r.want == asyncio.ErrCancelled }

func call(f func() error) bool { return f() == asyncio.ErrCancelled } // want `GL205`

func ways(err error) bool {
	switch err {
	case asyncio.ErrTimeout:
	case asyncio.ErrCancelled: // want `GL205: a case of ErrCancelled compares by ==`
	}
	switch {
	case errors.Is(err, asyncio.ErrCancelled):
	}
	return err != asyncio.ErrCancelled // want `GL205`
}
