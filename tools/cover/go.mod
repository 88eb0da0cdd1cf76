module github.com/go-greenlet/greenlet/tools/cover

go 1.26.0

require golang.org/x/tools v0.51.0
