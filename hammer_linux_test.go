package greenlet_test

import "syscall"

func init() { threadID = syscall.Gettid }
