//go:build !portable

package sched_test

import "github.com/go-greenlet/greenlet/sched"

func init() {
	pollerKinds = append(pollerKinds, pollerKind{
		name: "epoll_pwait",
		make: sched.NewPoller,
		mode: func() func() {
			sched.SetPreciseWait(false)
			return func() { sched.SetPreciseWait(true) }
		},
	})
}
