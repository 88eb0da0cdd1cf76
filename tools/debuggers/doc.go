// Package debuggers tests what delve and gdb show of suspended greenlets: see
// docs/sight.md. It is a module of its own as delve has many dependencies.
package debuggers
