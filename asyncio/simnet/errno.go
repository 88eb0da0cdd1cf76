package simnet

import (
	"errors"
	"strings"
	"syscall"
)

// What is said of an error must be the same on all systems, because a seed has one hash.
// Errors of the system have other words elsewhere: they are noted in Linux's.

// errnoName returns the name of an error.
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
	return linuxWords(err)
}

// linuxWords returns what Linux says of an error; what this system does, if it is none
// of those that a network or a disk here may have.
func linuxWords(err syscall.Errno) string {
	switch err {
	case syscall.ECONNRESET:
		return "connection reset by peer"
	case syscall.ECONNREFUSED:
		return "connection refused"
	case syscall.ECONNABORTED:
		return "software caused connection abort"
	case syscall.EPIPE:
		return "broken pipe"
	case syscall.ETIMEDOUT:
		return "connection timed out"
	case syscall.ENETDOWN:
		return "network is down"
	case syscall.ENETUNREACH:
		return "network is unreachable"
	case syscall.EHOSTUNREACH:
		return "no route to host"
	case syscall.EADDRINUSE:
		return "address already in use"
	case syscall.EADDRNOTAVAIL:
		return "cannot assign requested address"
	case syscall.ENOTCONN:
		return "transport endpoint is not connected"
	case syscall.EDESTADDRREQ:
		return "destination address required"
	case syscall.EMSGSIZE:
		return "message too long"
	case syscall.ENOENT:
		return "no such file or directory"
	case syscall.EEXIST:
		return "file exists"
	case syscall.EISDIR:
		return "is a directory"
	case syscall.ENOTDIR:
		return "not a directory"
	case syscall.ENOTEMPTY:
		return "directory not empty"
	case syscall.EACCES:
		return "permission denied"
	case syscall.EINVAL:
		return "invalid argument"
	case syscall.EIO:
		return "input/output error"
	case syscall.ENOSPC:
		return "no space left on device"
	}
	return err.Error()
}

// inLinuxWords returns what err says, with what is the system's in Linux's words.
func inLinuxWords(err error) string {
	text := err.Error()
	var errno syscall.Errno
	if errors.As(err, &errno) {
		if here := errno.Error(); here != "" {
			text = strings.ReplaceAll(text, here, linuxWords(errno))
		}
	}
	return text
}
