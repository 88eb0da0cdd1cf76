module github.com/go-greenlet/greenlet

go 1.25.0

require golang.org/x/sys v0.47.0

require (
	github.com/stretchr/testify v1.12.1
	go.yaml.in/yaml/v3 v3.0.5 // indirect
)
