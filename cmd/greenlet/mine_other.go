//go:build !unix

package main

import "io/fs"

// mine reports whether a file belongs to this user, which is not known here.
func mine(fs.FileInfo) bool { return true }
