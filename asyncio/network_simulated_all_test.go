//go:build (linux || darwin || dragonfly || freebsd || netbsd || openbsd) && !portable

package asyncio_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The reasons for which a test of connections does not run in simulation. But for the
// first they are what a simulated network does not have by nature.
const (
	noNetwork    = "it uses no network: it is about a part below, or one beside"
	systemCalls  = "system calls: descriptors and their options, sockets and pipes of the system"
	systemFiles  = "files of the system, at unix paths"
	systemNames  = "a net.Resolver of package net"
	systemCosts  = "memory and allocations of the system's connections"
	systemRaces  = "what the race detector knows of goroutines that share the system's connections"
	outlivesLoop = "connections that outlive the loop, with which a simulated network ends"
)

// notInSimulation are those tests.
var notInSimulation = map[string][]string{
	noNetwork: {
		"Chaos", "Interleaved", "LinePassesOverOnce", "StreamReaderCancelledKeepsData", "StreamReaderException", "StreamReaderIncomplete", "StreamReaderLimit",
		"StreamReaderLines", "StreamReaderModel", "StreamReaderOneAtATime", "StreamReaderOwnMemory", "StreamReaderPauses", "StreamReaderRandomPieces",
		"StreamReaderReads", "TLSEngineAbandoned", "TLSEngineBadCertificate", "TLSEngineChanged", "TLSEngineClientCertificate", "TLSEngineFunctions",
		"TLSEngineKeepsNoStack", "TLSEngineNoTLS", "TLSEngineSizes", "TLSEngineTruncated",
	},
	systemCalls: {
		"ConnOptions", "DatagramsWait", "DatagramsWithSocket", "SendFileRefuses", "ServerOutOfDescriptors", "ServerWithSocket", "SyscallConn",
	},
	systemFiles:  {"Listener", "ServerUnix", "UnixPathInUse"},
	systemNames:  {"AddrInfoEnds", "DialCancelIsOpError", "DialTimeoutEnds"},
	systemCosts:  {"ConnAllocations", "ConnAllocationsOutside", "StreamAllocations", "StreamIdleMemory"},
	systemRaces:  {"RaceOrderAccept", "RaceOrderChildren", "RaceOrderDatagrams", "RaceOrderDescriptors", "RaceOrderReaders", "RaceOrderSockets", "RaceOrderStreams", "RaceOrderTransports"},
	outlivesLoop: {"ConnLoopClosedInWrite", "ConnOutlivesLoop"},
}

// simulatedFiles are those that test connections, streams, servers, transports, datagrams,
// TLS and names. Those of Socket are not among them: it is what the system has, and refused.
var simulatedFiles = []string{"conn_*_test.go", "conn_test.go", "stream_*_test.go", "server_*_test.go", "server_test.go", "transport_test.go",
	"datagram_*_test.go", "datagram_test.go", "tls_*_test.go", "tls_test.go", "sendfile_test.go", "resolve_*_test.go", "resolve_test.go"}

// Each test of connections runs in simulation, or has a reason not to.
func TestSimulatedAreAll(t *testing.T) {
	var all []string
	for _, pattern := range simulatedFiles {
		names, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, names, pattern)
		for _, name := range names {
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
			require.NoError(t, err)
			for _, d := range file.Decls {
				if f, ok := d.(*ast.FuncDecl); ok && strings.HasPrefix(f.Name.Name, "Test") && f.Name.Name != "TestMain" {
					all = append(all, strings.TrimPrefix(f.Name.Name, "Test"))
				}
			}
		}
	}
	var run []string
	for _, test := range slices.Concat(inSimulation, inSimulationByClock) {
		run = append(run, nameOf(test))
	}
	reasons := make(map[string]string)
	for reason, tests := range notInSimulation {
		for _, name := range tests {
			assert.NotContains(t, run, name, "it runs, and has a reason not to: %s", reason)
			assert.NotContains(t, reasons, name, "it has two reasons")
			reasons[name] = reason
		}
	}
	slices.Sort(all)
	all = slices.Compact(all)
	nature, without := 0, 0
	for _, name := range all {
		switch reason := reasons[name]; {
		case reason == noNetwork:
			without++
		case reason != "":
			nature++
		default:
			assert.Contains(t, run, name, "it does not run in simulation, and has no reason")
		}
	}
	for _, name := range slices.Concat(run, slices.Collect(maps.Keys(reasons))) {
		assert.Contains(t, all, name, "there is no such test")
	}
	t.Logf("%d of %d tests that use a network run in simulation, %d of them on the system's clock; %d others use none",
		len(run), len(run)+nature, len(inSimulationByClock), without)
}
