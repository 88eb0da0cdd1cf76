//go:build darwin || freebsd

package agentsocket

import "golang.org/x/sys/unix"

// peer returns the user of the process at the other end.
func peer(fd int) (uid int, err error) {
	const local = 0 // SOL_LOCAL
	cred, err := unix.GetsockoptXucred(fd, local, unix.LOCAL_PEERCRED)
	if err != nil {
		return 0, err
	}
	return int(cred.Uid), nil
}
