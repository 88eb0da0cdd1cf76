module github.com/go-greenlet/greenlet/bench/world

go 1.26.0

require (
	github.com/dop251/goja v0.0.0-20260917113740-793a2a65c13b
	github.com/go-greenlet/greenlet v0.0.0
	github.com/go-greenlet/greenlet/bench/net v0.0.0
	github.com/go-sql-driver/mysql v1.10.1
	github.com/valyala/fasthttp v1.78.0
	github.com/vikstrous/dataloadgen v0.0.10
	golang.org/x/sys v0.49.0
)

require (
	filippo.io/edwards25519 v1.2.0 // indirect
	github.com/dlclark/regexp2/v2 v2.5.2 // indirect
	github.com/go-sourcemap/sourcemap v2.1.3+incompatible // indirect
	github.com/google/pprof v0.0.0-20230207041349-798e818bf904 // indirect
	github.com/klauspost/compress v1.20.3 // indirect
	github.com/molecule-man/go-brrr v1.3.1 // indirect
	github.com/valyala/bytebufferpool v1.0.0 // indirect
	go.opentelemetry.io/otel v1.11.1 // indirect
	go.opentelemetry.io/otel/trace v1.11.1 // indirect
	golang.org/x/text v0.43.0 // indirect
)

replace (
	github.com/go-greenlet/greenlet => ../..
	github.com/go-greenlet/greenlet/bench/net => ../net
)
