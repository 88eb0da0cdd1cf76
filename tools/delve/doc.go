// Package delve tests what the debugger delve shows of suspended greenlets: see
// docs/sight.md. It is a module of its own as delve has many dependencies.
package delve
