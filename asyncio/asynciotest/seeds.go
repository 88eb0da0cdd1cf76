package asynciotest

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A span is the seeds from one to another, both included.
type span struct{ From, To uint64 }

func (s span) size() uint64 { return s.To - s.From + 1 }

// valid reports whether s is one that the rest here can count with: seeds begin at one,
// and there is a number after the last.
func (s span) valid() bool { return 0 < s.From && s.From <= s.To && s.To < math.MaxUint64 }

// parseSeeds reads "1000", which stands for 1 to 1000, and "2001-3000".
func parseSeeds(text string) (span, error) {
	from, to, isSpan := strings.Cut(text, "-")
	if !isSpan {
		from, to = "1", text
	}
	first, err := strconv.ParseUint(from, 0, 64)
	last, err2 := strconv.ParseUint(to, 0, 64)
	if err != nil || err2 != nil || !(span{first, last}).valid() {
		return span{}, fmt.Errorf("%q: want a number of seeds, or the first and the last, as in 2001-3000", text)
	}
	return span{first, last}, nil
}

// seedSet is a set of seeds: spans in order, with a gap between each two.
type seedSet []span

// valid reports whether set is what it should be: it may come from a file.
func (set seedSet) valid() bool {
	for i, s := range set {
		if !s.valid() || i > 0 && s.From <= set[i-1].To+1 {
			return false
		}
	}
	return true
}

// add returns set with the seeds of s.
func (set seedSet) add(s span) seedSet {
	set = append(slices.Clone(set), s)
	slices.SortFunc(set, func(a, b span) int { return cmp.Compare(a.From, b.From) })
	whole := set[:1]
	for _, s := range set[1:] {
		if last := &whole[len(whole)-1]; s.From <= last.To+1 {
			last.To = max(last.To, s.To)
		} else {
			whole = append(whole, s)
		}
	}
	return whole
}

// next returns the first seeds of s, at most n, that are not in set.
func (set seedSet) next(s span, n uint64) (found span, ok bool) {
	for _, done := range set {
		if done.To < s.From {
			continue
		}
		if done.From > s.From {
			s.To = min(s.To, done.From-1)
			break
		}
		s.From = done.To + 1
	}
	if s.From > s.To {
		return span{}, false
	}
	return span{s.From, s.From + min(n, s.size()) - 1}, true
}

// within counts the seeds of s that are in set.
func (set seedSet) within(s span) (count uint64) {
	for _, done := range set {
		if from, to := max(s.From, done.From), min(s.To, done.To); from <= to {
			count += to - from + 1
		}
	}
	return count
}
