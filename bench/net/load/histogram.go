//go:build linux

package load

import (
	"math/bits"
	"time"
)

// A histogram counts durations in buckets that are 1/64 of their value wide.
type histogram struct {
	buckets [64 * fine]uint32
	count   int
}

const fine = 64 // buckets for each power of two

func (h *histogram) add(d time.Duration) {
	h.buckets[bucket(uint64(max(d, 0)))]++
	h.count++
}

func bucket(v uint64) int {
	if v < fine {
		return int(v)
	}
	shift := bits.Len64(v) - 7 // leaves the leading one and six bits
	return shift*fine + int(v>>shift)
}

// quantile is the duration that the given part of all does not exceed.
func (h *histogram) quantile(part float64) time.Duration {
	rest := int(part * float64(h.count))
	for i, n := range h.buckets {
		if rest -= int(n); rest < 0 {
			return middle(i)
		}
	}
	return 0
}

// middle is the inverse of bucket.
func middle(i int) time.Duration {
	if i < 2*fine {
		return time.Duration(i)
	}
	shift := i/fine - 1
	return time.Duration((i%fine+fine)<<shift + 1<<(shift-1))
}
