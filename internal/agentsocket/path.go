// Package agentsocket says where the agent of package asyncio/sight has its socket,
// for the agent and for those who look for it.
package agentsocket

import (
	"os"
	"path/filepath"
	"strconv"
)

// Folder returns the folder that has the sockets of the calling user's programs:
// greenlet in $XDG_RUNTIME_DIR, or greenlet-UID in the folder for temporary files if
// that variable is not set.
func Folder() string {
	if dir := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "greenlet")
	}
	return filepath.Join(os.TempDir(), "greenlet-"+strconv.Itoa(os.Getuid()))
}

// Path returns the path of the socket of the process pid, if that was started with
// the same variables as the calling one.
func Path(pid int) string { return filepath.Join(Folder(), strconv.Itoa(pid)) }
