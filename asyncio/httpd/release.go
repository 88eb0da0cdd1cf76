//go:build !go1.27

package httpd

import "net/http"

// as127 tells that answers are those of net/http from Go 1.27 on: who is answered
// before being asked for a body is not asked any more.
const as127 = false

// tooManyValues reports whether a head has more than are allowed: from Go 1.27 on.
func tooManyValues(*http.Server, *http.Request) bool { return false }
