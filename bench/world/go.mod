module github.com/go-greenlet/greenlet/bench/world

go 1.26.0

require (
	github.com/go-greenlet/greenlet v0.0.0
	github.com/go-greenlet/greenlet/bench/net v0.0.0
	github.com/go-sql-driver/mysql v1.10.1
	github.com/valyala/fasthttp v1.78.0
	golang.org/x/sys v0.49.0
)

require (
	filippo.io/edwards25519 v1.2.0 // indirect
	github.com/klauspost/compress v1.20.3 // indirect
	github.com/molecule-man/go-brrr v1.3.1 // indirect
	github.com/valyala/bytebufferpool v1.0.0 // indirect
)

replace (
	github.com/go-greenlet/greenlet => ../..
	github.com/go-greenlet/greenlet/bench/net => ../net
)
