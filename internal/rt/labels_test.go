package rt_test

import (
	"context"
	"maps"
	"runtime/pprof"
	"testing"

	"github.com/go-greenlet/greenlet/internal/rt"
)

// Labels can be read as runtime/pprof of this release has set them.
func TestLabelsEach(t *testing.T) {
	if !rt.Fast {
		t.Skip("the layout of a goroutine is not known")
	}
	read := func() map[string]string {
		all := make(map[string]string)
		rt.OwnLabels().Each(func(key, value string) { all[key] = value })
		return all
	}
	if got := read(); len(got) != 0 {
		t.Errorf("without labels: %v", got)
	}
	want := map[string]string{"user": "alice", "task": "", "a": "b"}
	pprof.Do(context.Background(), pprof.Labels("user", "alice", "task", "", "a", "b"), func(context.Context) {
		if got := read(); !maps.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	})
}
