// Package agent lets the user who has started a program look into it while it runs, with
// no line of code and no port:
//
//	import _ "github.com/go-greenlet/greenlet/asyncio/sight/agent"
//
// By SIGUSR1 the program begins to serve what package asyncio/sight shows, on a unix
// socket, and by the next one it ends that. With GREENLET_SIGHT=1 in its environment it
// begins when it starts; with GREENLET_SIGHT=0 it never does, and SIGUSR1 is left alone.
//
//	kill -USR1 4242
//	curl --unix-socket $XDG_RUNTIME_DIR/greenlet/4242 http://localhost/tasks.txt
//
// The socket is $XDG_RUNTIME_DIR/greenlet/PID, or $TMPDIR/greenlet-UID/PID if there is no
// such variable; the program logs which, by log/slog. Only processes of the same user
// can connect, and they can only look: see the page docs/sight.md of the repository. It
// ends with the program; if that is killed, its name is left in the folder until another
// program opens a socket there.
//
// A program that is not looked at pays for one goroutine, which waits for the signal.
// Go's own detector of deadlocks says nothing in it, as in all programs that wait for
// signals; asyncio's does. On systems without that signal, or where the other
// end of a socket cannot be asked who it is, the package does nothing: there is none on
// Windows, js and wasip1.
package agent
