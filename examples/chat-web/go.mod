module github.com/go-greenlet/greenlet/examples/chat-web

go 1.26.0

require (
	github.com/chromedp/cdproto v0.160.1
	github.com/chromedp/chromedp v0.23.1
	github.com/go-greenlet/greenlet v0.0.0
	github.com/gobwas/ws v1.5.0
)

require (
	github.com/go-json-experiment/json v0.0.0-20260213210345-44df1a37e875 // indirect
	github.com/gobwas/httphead v0.1.0 // indirect
	golang.org/x/sys v0.47.0 // indirect
)

replace github.com/go-greenlet/greenlet => ../..
