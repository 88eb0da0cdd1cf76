//go:build (linux || darwin || dragonfly || freebsd || netbsd || openbsd) && !portable

package asyncio_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The reasons for which a test of connections does not run in simulation. But for the
// first and the last the test itself uses what only the system has: it is one of asyncio
// on the system's network.
const (
	noNetwork    = "it uses no network: it is about a part below, or one beside"
	systemCalls  = "system calls: descriptors and their options, sockets and pipes of the system"
	systemFiles  = "files of the system, at unix paths"
	systemNames  = "a net.Resolver of package net"
	systemCosts  = "memory of the system's connections"
	systemRaces  = "what the race detector knows of goroutines that share connections with package net, pipes and children"
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
	systemCosts:  {"StreamIdleMemory"},
	systemRaces:  {"RaceOrderChildren", "RaceOrderDatagrams", "RaceOrderDescriptors", "RaceOrderReaders", "RaceOrderSockets", "RaceOrderStreams", "RaceOrderTransports"},
	outlivesLoop: {"ConnAllocationsOutside", "ConnLoopClosedInWrite", "ConnOutlivesLoop"},
}

// ofTheSystem are the names in a test, or of what it calls, that tell that it uses the system.
var ofTheSystem = regexp.MustCompile(`\b(net\.(Listen|ListenPacket|ListenUnix|ListenUnixgram|Dial|FileConn|Resolver|DefaultResolver)|unix\.\w+|syscall\.(Read|Conn)|os\.(Pipe|Stat|Lstat)|osPipe|mixed|CreateSubprocessExec|exec\.Command|AddReader)\b`)

// simulatedFiles are those that test connections, streams, servers, transports, datagrams,
// TLS and names. Those of Socket are not among them: it is what the system has, and refused.
var simulatedFiles = []string{"conn_*_test.go", "conn_test.go", "stream_*_test.go", "server_*_test.go", "server_test.go", "transport_test.go",
	"datagram_*_test.go", "datagram_test.go", "tls_*_test.go", "tls_test.go", "sendfile_test.go", "resolve_*_test.go", "resolve_test.go"}

// Each test of connections runs in simulation, or has a reason not to.
func TestSimulatedAreAll(t *testing.T) {
	var all []string
	text := make(map[string]string)
	for _, pattern := range simulatedFiles {
		names, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, names, pattern)
		for _, name := range names {
			source, err := os.ReadFile(name)
			require.NoError(t, err)
			file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.SkipObjectResolution)
			require.NoError(t, err)
			for _, d := range file.Decls {
				if f, ok := d.(*ast.FuncDecl); ok && strings.HasPrefix(f.Name.Name, "Test") && f.Name.Name != "TestMain" {
					name := strings.TrimPrefix(f.Name.Name, "Test")
					all = append(all, name)
					text[name] = string(source[f.Pos()-file.FileStart : f.End()-file.FileStart])
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
	system, others, without := 0, 0, 0
	for _, name := range all {
		switch reason := reasons[name]; {
		case reason == noNetwork:
			without++
		case reason == outlivesLoop:
			others++
		case reason != "":
			system++
			assert.Regexp(t, ofTheSystem, text[name], "Test%s does not run in simulation, and uses nothing of the system", name)
		default:
			assert.Contains(t, run, name, "it does not run in simulation, and has no reason")
		}
	}
	for _, name := range slices.Concat(run, slices.Collect(maps.Keys(reasons))) {
		assert.Contains(t, all, name, "there is no such test")
	}
	t.Logf("%d of %d tests that use a network run in simulation, %d of them on the system's clock; of the others %d use the system by themselves; %d more tests use no network",
		len(run), len(run)+system+others, len(inSimulationByClock), system, without)
}
