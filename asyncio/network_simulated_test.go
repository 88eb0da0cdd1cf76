package asyncio_test

import (
	"reflect"
	"runtime"
	"strings"
	"testing"
)

// The tests of connections, streams, servers, transports, datagrams and TLS hold on a
// simulated network, as they are. What is left out needs what it does not have: another
// side that is of the system (net.Dial and net.Listen), goroutines that use a connection,
// peers that act in callbacks, where a wait is refused, system calls (WithSocket, Sockets, SyscallConn, Control, SendFile
// without a fallback, children, files at unix paths), a net.Resolver, or times and
// allocations of the system's.
func TestOverSimulated(t *testing.T) {
	overNetwork = onSimNet
	defer func() { overNetwork = nil }()
	again(t,
		TestConnEcho,
		TestConnBulk,
		TestConnDeadlines,
		TestConnCloseWakes,
		TestConnWritesAreWhole,
		TestConnCancel,
		TestConnReadersShare,
		TestDialLate,
		TestConnErrorNamesPath,
		TestConnTLS,
		TestConnTextAndJSON,
		TestConnHTTPInTasks,
		TestServerLife,
		TestServeForever,
		TestServeForeverClosesClients,
		TestServerClients,
		TestServerHandlerFails,
		TestServerForgottenWriter,
		TestServerFactoryFails,
		TestCreateConnectionByName,
		TestCreateConnectionCancelled,
		TestCreateConnectionBothAnswer,
		TestCreateConnectionSeveralAddresses,
		TestTLSBothSides,
		TestTLSHandshakeFails,
		TestTLSFunctionsCannotWait,
		TestStartTLSInjection,
		TestStartTLSTwice,
		TestStartTLSRefuses,
		TestStreamScenarios,
		TestStreamPeerResets,
		TestStreamPeerHalfCloses,
		TestStreamPeerSendsBytes,
		TestStreamPeerNeverReads,
		TestTransportCloseFlushes,
		TestTransportAbort,
		TestTransportLostOnce,
		TestTransportHalfClose,
		TestTransportFlowControl,
		TestTransportPauseReading,
		TestTransportReset,
		TestTransportWritesAfterLoss,
		TestBufferedProtocol,
		TestSetProtocol,
		TestAddrInfo,
	)
}

// again runs tests by their names, as subtests of one that has changed what they stand
// on.
func again(t *testing.T, tests ...func(t *testing.T)) {
	for _, test := range tests {
		_, name, _ := strings.Cut(runtime.FuncForPC(reflect.ValueOf(test).Pointer()).Name(), ".Test")
		t.Run(name, func(t *testing.T) {
			before := beneathOthers
			test(t)
			if overNetwork != nil && beneathOthers == before && !t.Failed() && !t.Skipped() {
				t.Error("it has not run on that network")
			}
		})
	}
}
