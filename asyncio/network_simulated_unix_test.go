//go:build (linux || darwin || dragonfly || freebsd || netbsd || openbsd) && !portable

package asyncio_test

import "testing"

// More tests of connections hold on a simulated network: see TestOverSimulated.
func TestOverSimulatedConns(t *testing.T) {
	overNetwork = onSimNet
	defer func() { overNetwork = nil }()
	t.Run("DialCancel", TestDialCancel)
	t.Run("LoopClosedInWrite", TestConnLoopClosedInWrite)
	t.Run("ReusePort", TestReusePort)
	t.Run("InCallback", TestConnInCallback)
	t.Run("NumberUsedAgain", TestConnNumberUsedAgain)
	t.Run("ServerReusePort", TestServerReusePort)
	t.Run("DatagramOptions", TestDatagramOptions)
}
