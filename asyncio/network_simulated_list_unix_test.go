//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package asyncio_test

func init() {
	inSimulation = append(inSimulation,
		TestDatagrams,
		TestDatagramsMany,
		TestDatagramsToNobody,
		TestDatagramsWaitForOthers,
		TestDatagramsUnix,
		TestDatagramOptions,
		TestDatagramEnds,
		TestDatagramsRefused,
		TestDatagramsLoopClosed,
	)
	inSimulationByClock = append(inSimulationByClock,
		TestSendFile,
		TestSendFileKeepsOthersOut,
		TestSendFileWaitsForTheLastPiece,
		TestSendFileEnds,
		TestSendFileCancelled,
	)
}
