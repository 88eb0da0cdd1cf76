// Package other stands for a library that blocks.
package other

import "time"

// Poll blocks.
func Poll() { time.Sleep(1) }
