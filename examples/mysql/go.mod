module github.com/go-greenlet/greenlet/examples/mysql

go 1.26.0

require (
	github.com/go-greenlet/greenlet v0.0.0
	github.com/go-sql-driver/mysql v1.10.0
)

require (
	filippo.io/edwards25519 v1.2.0 // indirect
	golang.org/x/sys v0.47.0 // indirect
)

replace github.com/go-greenlet/greenlet => ../..
