module target

go 1.25.0

require github.com/go-greenlet/greenlet v0.0.0

require golang.org/x/sys v0.47.0 // indirect

replace github.com/go-greenlet/greenlet => ../../../..
