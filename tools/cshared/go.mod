module github.com/go-greenlet/greenlet/tools/cshared

go 1.25.0

require github.com/go-greenlet/greenlet v0.0.0

replace github.com/go-greenlet/greenlet => ../..
