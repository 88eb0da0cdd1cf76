package simnet

import "syscall"

// errnoName returns the name of an error, which is the same on all systems.
func errnoName(err syscall.Errno) string {
	switch err {
	case syscall.ECONNRESET:
		return "ECONNRESET"
	case syscall.ECONNREFUSED:
		return "ECONNREFUSED"
	case syscall.EPIPE:
		return "EPIPE"
	case syscall.ETIMEDOUT:
		return "ETIMEDOUT"
	}
	return err.Error()
}
