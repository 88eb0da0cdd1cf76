package rules

import "strings"

// A blocker is a function from outside that blocks its goroutine.
type blocker struct {
	rule    string
	instead string // what a task uses
}

// blockers are known by name, as nameOf has it. Those of other modules are the ones
// that keep their caller waiting for a goroutine of theirs; of the libraries that
// wait in their connections alone there is none, as they run in tasks.
var blockers = table(`
GL101 asyncio.Sleep(ctx, d)
	time.Sleep
GL104 a TaskGroup or Gather, or ToThread for goroutines of others
	sync.WaitGroup.Wait
	golang.org/x/sync/errgroup.Group.Wait
GL104 asyncio.Condition
	sync.Cond.Wait
GL104 asyncio.Semaphore
	golang.org/x/sync/semaphore.Weighted.Acquire
GL104 a Task that all await
	golang.org/x/sync/singleflight.Group.Do
GL105 ToThread
	net/http.Get
	net/http.Head
	net/http.Post
	net/http.PostForm
	net/http.Client.Do
	net/http.Client.Get
	net/http.Client.Head
	net/http.Client.Post
	net/http.Client.PostForm
	net/http.Server.Shutdown
	google.golang.org/grpc.ClientConn.Invoke
	github.com/nats-io/nats.go.Conn.Flush
	github.com/nats-io/nats.go.Conn.FlushTimeout
	github.com/nats-io/nats.go.Conn.Request
	github.com/twmb/franz-go/pkg/kgo.Client.ProduceSync
	github.com/twmb/franz-go/pkg/kgo.Client.PollFetches
	github.com/valyala/fasthttp.GetTimeout
	github.com/valyala/fasthttp.GetDeadline
	github.com/valyala/fasthttp.Client.GetTimeout
	github.com/valyala/fasthttp.Client.GetDeadline
	github.com/valyala/fasthttp.HostClient.GetTimeout
	github.com/valyala/fasthttp.HostClient.GetDeadline
GL105 package asyncio/httpd
	net/http.ListenAndServe
	net/http.ListenAndServeTLS
	net/http.Serve
	net/http.ServeTLS
	net/http.Server.ListenAndServe
	net/http.Server.ListenAndServeTLS
	net/http.Server.Serve
	net/http.Server.ServeTLS
GL106 asyncio.Dial or OpenConnection
	net.Dial
	net.DialTimeout
	net.DialTCP
	net.Dialer.Dial
	net.Dialer.DialContext
GL106 asyncio.Dial and tls.Client
	crypto/tls.Dial
	crypto/tls.DialWithDialer
	crypto/tls.Dialer.Dial
	crypto/tls.Dialer.DialContext
GL106 asyncio.GetAddrInfo
	net.LookupHost
	net.LookupIP
	net.LookupPort
	net.Resolver.LookupHost
	net.Resolver.LookupIP
	net.Resolver.LookupIPAddr
	net.Resolver.LookupNetIP
GL106 asyncio.GetNameInfo
	net.LookupAddr
	net.Resolver.LookupAddr
GL106 ToThread
	net.LookupCNAME
	net.LookupMX
	net.LookupNS
	net.LookupSRV
	net.LookupTXT
	net.Resolver.LookupCNAME
	net.Resolver.LookupMX
	net.Resolver.LookupNS
	net.Resolver.LookupSRV
	net.Resolver.LookupTXT
GL106 asyncio.Listen or AdoptListener
	net.TCPListener.Accept
	net.TCPListener.AcceptTCP
	net.UnixListener.Accept
	net.UnixListener.AcceptUnix
GL106 asyncio.ListenPacket
	net.UDPConn.ReadFrom
	net.UDPConn.ReadFromUDP
	net.UDPConn.ReadFromUDPAddrPort
GL106 asyncio.Dial or Adopt
	net.conn.Read
	net.TCPConn.ReadFrom
GL107 asyncio.CreateSubprocessExec
	os/exec.Cmd.Run
	os/exec.Cmd.Output
	os/exec.Cmd.CombinedOutput
	os/exec.Cmd.Wait
	os.Process.Wait
GL108 asyncio.ConnectReadPipe, or ToThread
	fmt.Scan
	fmt.Scanf
	fmt.Scanln
GL110 pgx.Conn in an asyncio.Pool
	github.com/jackc/pgx/v5/pgxpool.Pool.Acquire
	github.com/jackc/pgx/v5/pgxpool.Pool.AcquireFunc
	github.com/jackc/pgx/v5/pgxpool.Pool.Begin
	github.com/jackc/pgx/v5/pgxpool.Pool.BeginFunc
	github.com/jackc/pgx/v5/pgxpool.Pool.BeginTx
	github.com/jackc/pgx/v5/pgxpool.Pool.CopyFrom
	github.com/jackc/pgx/v5/pgxpool.Pool.Exec
	github.com/jackc/pgx/v5/pgxpool.Pool.Ping
	github.com/jackc/pgx/v5/pgxpool.Pool.Query
	github.com/jackc/pgx/v5/pgxpool.Pool.QueryRow
	github.com/jackc/pgx/v5/pgxpool.Pool.SendBatch
GL111 its Await
	asyncio.ConcurrentFuture.Result
`)

// fileCalls are for GL109.
var fileCalls = table(`
GL109 ToThread
	os.ReadFile
	os.WriteFile
	os.Open
	os.OpenFile
	os.Create
	os.ReadDir
	os.Stat
	os.Lstat
	os.Rename
	os.Remove
	os.RemoveAll
	os.Mkdir
	os.MkdirAll
	os.CopyFS
	os.File.Read
	os.File.ReadAt
	os.File.ReadDir
	os.File.ReadFrom
	os.File.Sync
	os.File.Write
	os.File.WriteAt
	os.File.WriteString
	path/filepath.Walk
	path/filepath.WalkDir
	path/filepath.Glob
	io/ioutil.ReadFile
	io/ioutil.WriteFile
	io/ioutil.ReadDir
`)

// runsLoop are refused where a loop runs already.
var runsLoop = []string{"asyncio.Run", "asyncio.RunFunc", "asyncio.RunMain", "asyncio.RunIn", "asyncio.RunUntilComplete", "asyncio.Loop.RunForever"}

// table reads lines of a rule and what is used instead, each followed by the names
// of functions, indented.
func table(text string) map[string]blocker {
	all := make(map[string]blocker)
	var b blocker
	for line := range strings.Lines(strings.TrimSpace(text)) {
		line = strings.TrimSuffix(line, "\n")
		if name, indented := strings.CutPrefix(line, "\t"); indented {
			all[name] = b
		} else {
			b.rule, b.instead, _ = strings.Cut(line, " ")
		}
	}
	return all
}
