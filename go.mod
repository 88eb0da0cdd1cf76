module github.com/go-greenlet/greenlet

go 1.25
