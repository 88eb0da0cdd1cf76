//go:build portable || !(linux || darwin || dragonfly || freebsd || netbsd || openbsd)

package asyncio

func init() {
	systemSockets, systemConns, systemPipes = portableSockets{}, portableConns{}, portablePipes{}
}
