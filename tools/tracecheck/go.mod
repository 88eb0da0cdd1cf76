module github.com/go-greenlet/greenlet/tools/tracecheck

go 1.25.0

require (
	github.com/go-greenlet/greenlet v0.0.0
	golang.org/x/exp v0.0.0-20260218203240-3dfff04db8fa
)

replace github.com/go-greenlet/greenlet => ../..
