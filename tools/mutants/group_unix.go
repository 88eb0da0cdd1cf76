//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// ownGroup makes cmd and what it starts a group of processes, and killGroup ends
// that.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func killGroup(cmd *exec.Cmd) { syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
