package fd

import "errors"

// ErrNoSendfile is the error of a system that does not send a file. What it has sent
// before is sent.
var ErrNoSendfile = errors.New("asyncio: no sendfile")

// NoSendfile has no file sent by the system: for tests.
var NoSendfile = false
