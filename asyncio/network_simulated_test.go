package asyncio_test

import (
	"reflect"
	"runtime"
	"strings"
	"testing"
)

// inSimulation are the tests of connections, streams, servers, transports, datagrams and TLS
// that hold on a simulated network, as they are, on virtual time; those that are not for every
// system are added elsewhere. TestSimulatedAreAll knows why others are left out.
var inSimulation = []func(t *testing.T){
	TestConnCancelIsOpError,
	TestDialerWithLoopAnywhere,
	TestConnErrorNamesPath,
	TestConnTLS,
	TestConnTextAndJSON,
	TestConnHTTP,
	TestConnHTTPInTasks,
	TestConnEcho,
	TestConnBulk,
	TestConnDeadlines,
	TestConnCloseWakes,
	TestConnWritesAreWhole,
	TestConnCancel,
	TestConnReadersShare,
	TestDialLate,
	TestStreamPeerResets,
	TestStreamPeerHalfCloses,
	TestStreamPeerSendsBytes,
	TestStreamPeerNeverReads,
	TestStreamPeerSendsNoNewline,
	TestStreamBackpressureBoundsMemory,
	TestFaultyConnectionsLeakNothing,
	TestStreamScenarios,
	TestServerLife,
	TestServeForever,
	TestServeForeverClosesClients,
	TestServerClients,
	TestServerHandlerFails,
	TestServerForgottenWriter,
	TestServerFactoryFails,
	TestServerReusePort,
	TestServerOptions,
	TestLoopCloseWithOpenConnections,
	TestTransportCloseFlushes,
	TestTransportAbort,
	TestTransportLostOnce,
	TestTransportHalfClose,
	TestTransportWriteEOFAfterBuffer,
	TestTransportFlowControl,
	TestTransportPauseReading,
	TestTransportReset,
	TestTransportWritesAfterLoss,
	TestTransportCallbackPanics,
	TestTransportLateCallbackPanics,
	TestBufferedProtocol,
	TestSetProtocol,
	TestCreateConnectionRefuses,
	TestCreateConnectionByName,
	TestCreateConnectionCancelled,
	TestCreateConnectionBothAnswer,
	TestCreateConnectionSeveralAddresses,
	TestConnectAcceptedSocket,
	TestWrongDatagramAddresses,
	TestTLSBothSides,
	TestTLSFunctionsCannotWait,
	TestStartTLSInjection,
	TestStartTLSTwice,
	TestStartTLSRefuses,
	TestAddrInfo,
}

// inSimulationByClock are those for which it must go by the system's clock, because they, or
// goroutines of theirs, do something while virtual time would go on, or would not.
var inSimulationByClock = []func(t *testing.T){
	TestServerShutdown,
	TestTLSClient,
	TestTLSServer,
	TestTLSProtocol,
	TestTLSHandshakeFails,
	TestTLSHandshakeEnds,
	TestTLSTruncated,
	TestTLSShutdown,
	TestTLSPauseReading,
	TestTLSEndInPause,
	TestTLSFlowControl,
	TestTLSBufferedProtocol,
	TestTLSPanics,
	TestTLSOptionsAreRefused,
	TestTLSCloseClients,
	TestStartTLS,
	TestTLSLoopClosed,
	TestStreamCancelledInTheMiddle,
}

// TestOverSimulatedByClock is TestOverSimulated for those.
func TestOverSimulatedByClock(t *testing.T) {
	overNetwork = onSimNetByClock
	defer func() { overNetwork = nil }()
	again(t, inSimulationByClock...)
}

// TestOverSimulated runs them.
func TestOverSimulated(t *testing.T) {
	overNetwork = onSimNet
	defer func() { overNetwork = nil }()
	again(t, inSimulation...)
}

// nameOf returns the name of a test, without Test.
func nameOf(test func(t *testing.T)) string {
	_, name, _ := strings.Cut(runtime.FuncForPC(reflect.ValueOf(test).Pointer()).Name(), ".Test")
	return name
}

// again runs tests by their names, as subtests of one that has changed what they stand
// on.
func again(t *testing.T, tests ...func(t *testing.T)) {
	for _, test := range tests {
		t.Run(nameOf(test), func(t *testing.T) {
			before := beneathOthers
			test(t)
			if overNetwork != nil && beneathOthers == before && !t.Failed() && !t.Skipped() {
				t.Error("it has not run on that network")
			}
		})
	}
}
