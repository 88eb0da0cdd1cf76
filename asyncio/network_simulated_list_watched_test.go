//go:build (linux || darwin || dragonfly || freebsd || netbsd || openbsd) && !portable

package asyncio_test

func init() {
	inSimulation = append(inSimulation,
		TestEmptyMessages,
		TestNetBuffers,
		TestConnReset,
		TestDialRefused,
		TestDialCancel,
		TestPacketConn,
		TestReusePort,
		TestConnInCallback,
		TestConnCloseRace,
		TestConnNumberUsedAgain,
		TestConnAllocations,
		TestStreamAllocations,
		TestRaceOrderAccept,
	)
	inSimulationByClock = append(inSimulationByClock,
		TestConnLeaks,
	)
}
