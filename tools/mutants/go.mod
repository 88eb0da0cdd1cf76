module github.com/go-greenlet/greenlet/tools/mutants

go 1.25.0
