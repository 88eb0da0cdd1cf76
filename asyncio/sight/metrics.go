package sight

import (
	"bytes"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/asyncio"
)

// metrics writes the counters in the text format of OpenMetrics 1.0. They are read
// without a look at the loops, so that asking costs those nothing, and a blocked one
// is no hindrance.
func (h *handler) metrics(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/openmetrics-text; version=1.0.0; charset=utf-8")
	w.Write(openMetrics(loopStats(), greenlet.Stats(), greenlet.Backend()))
}

// loopStats returns the counters of the loops that run, each with a name of its own: of
// those that share one, all but the first have their number added.
func loopStats() (all []asyncio.LoopStats) {
	for l := range asyncio.RunningLoops() {
		all = append(all, l.Stats())
	}
	tellApart(all)
	return all
}

func tellApart(all []asyncio.LoopStats) {
	taken := make(map[string]bool)
	for i := range all {
		s := &all[i]
		for taken[s.Name] {
			s.Name += "#" + strconv.FormatUint(s.ID, 10)
		}
		taken[s.Name] = true
	}
}

// openMetrics returns the metrics as text. Their one label is the loop: a label for
// each task would be a series for each.
func openMetrics(loops []asyncio.LoopStats, counts greenlet.Counts, backend greenlet.BackendInfo) []byte {
	var m exposition
	each := func(sample string, value func(s *asyncio.LoopStats) float64, labels ...string) {
		for i := range loops {
			m.sample(sample, value(&loops[i]), append([]string{"loop", loops[i].Name}, labels...)...)
		}
	}
	gauge := func(name, help string, value func(s *asyncio.LoopStats) float64) {
		m.family(name, "gauge", "", help)
		each(name, value)
	}
	counter := func(name, help string, value func(s *asyncio.LoopStats) float64) {
		m.family(name, "counter", "", help)
		each(name+"_total", value)
	}

	gauge("asyncio_tasks", "Tasks that have not ended.", func(s *asyncio.LoopStats) float64 { return float64(s.Tasks) })
	gauge("asyncio_ready", "Callbacks and steps of tasks that are to run.", func(s *asyncio.LoopStats) float64 { return float64(s.Ready) })
	gauge("asyncio_timers", "Timers that are set.", func(s *asyncio.LoopStats) float64 { return float64(s.Timers) })
	gauge("asyncio_descriptors", "Descriptors that are watched.", func(s *asyncio.LoopStats) float64 { return float64(s.Descriptors) })
	gauge("asyncio_idle_workers", "Greenlets that wait for a task.", func(s *asyncio.LoopStats) float64 { return float64(s.IdleWorkers) })
	counter("asyncio_tasks_created", "Tasks that were made.", func(s *asyncio.LoopStats) float64 { return float64(s.Created) })
	m.family("asyncio_tasks_ended", "counter", "", "Tasks that have ended, by how.")
	each("asyncio_tasks_ended_total", func(s *asyncio.LoopStats) float64 { return float64(s.Ended.OK) }, "outcome", "ok")
	each("asyncio_tasks_ended_total", func(s *asyncio.LoopStats) float64 { return float64(s.Ended.Failed) }, "outcome", "error")
	each("asyncio_tasks_ended_total", func(s *asyncio.LoopStats) float64 { return float64(s.Ended.Cancelled) }, "outcome", "cancelled")
	each("asyncio_tasks_ended_total", func(s *asyncio.LoopStats) float64 { return float64(s.Ended.Panicked) }, "outcome", "panic")
	counter("asyncio_steps", "Steps of tasks.", func(s *asyncio.LoopStats) float64 { return float64(s.Steps) })
	counter("asyncio_turns", "Turns of the loop.", func(s *asyncio.LoopStats) float64 { return float64(s.Turns) })
	counter("asyncio_posts", "Calls from other goroutines.", func(s *asyncio.LoopStats) float64 { return float64(s.Posts) })
	m.family("asyncio_loop_idle_seconds", "counter", "seconds", "How long the loop has waited for something to do.")
	each("asyncio_loop_idle_seconds_total", func(s *asyncio.LoopStats) float64 { return s.Idle.Seconds() })
	m.family("asyncio_loop_blocked_seconds", "gauge", "seconds", "How long the loop has been blocked now, as its watchdog says.")
	each("asyncio_loop_blocked_seconds", func(s *asyncio.LoopStats) float64 { return s.Blocked.Seconds() })
	counter("asyncio_loop_blocks", "How often the loop was blocked for longer than its watchdog's patience.", func(s *asyncio.LoopStats) float64 { return float64(s.Blocks) })
	gauge("asyncio_lost_errors", "Errors of tasks and futures that nobody has looked at.", func(s *asyncio.LoopStats) float64 { return float64(s.LostErrors) })
	gauge("asyncio_stalled", "1 if the loop waits and knows of nothing that will wake it.", func(s *asyncio.LoopStats) float64 {
		if s.Stalled {
			return 1
		}
		return 0
	})
	m.family("asyncio_loop_lag_seconds", "histogram", "seconds", "How long a call of the watchdog's goroutine took to run on the loop.")
	for _, s := range loops {
		if s.Lag != nil {
			m.lag(s.Name, s.Lag)
		}
	}

	m.family("greenlet_trees", "gauge", "", "Goroutines with greenlets.")
	m.sample("greenlet_trees", float64(counts.Trees))
	m.family("greenlet_live", "gauge", "", "Greenlets that have started and not ended.")
	m.sample("greenlet_live", float64(counts.Live))
	m.family("greenlet_suspended", "gauge", "", "Greenlets that wait for a switch.")
	m.sample("greenlet_suspended", float64(counts.Suspended))
	m.family("greenlet_pooled", "gauge", "", "Goroutines that are kept for greenlets to come.")
	m.sample("greenlet_pooled", float64(counts.Pooled))
	m.family("greenlet_collected", "counter", "", "Abandoned greenlets that were ended.")
	m.sample("greenlet_collected_total", float64(counts.Collected))
	m.family("greenlet_build", "info", "", "The switch, why it is that one, and the release of Go.")
	m.sample("greenlet_build_info", 1, "backend", backend.Name, "reason", backend.Reason, "go", runtime.Version())
	m.WriteString("# EOF\n")
	return m.Bytes()
}

// An exposition is metrics in OpenMetrics' text.
type exposition struct{ bytes.Buffer }

func (m *exposition) family(name, kind, unit, help string) {
	m.WriteString("# TYPE " + name + " " + kind + "\n")
	if unit != "" {
		m.WriteString("# UNIT " + name + " " + unit + "\n")
	}
	m.WriteString("# HELP " + name + " " + escaped(help) + "\n")
}

// sample writes a value. labels are names and values, in turns.
func (m *exposition) sample(name string, value float64, labels ...string) {
	m.WriteString(name)
	for i := 0; i+1 < len(labels); i += 2 {
		if i == 0 {
			m.WriteByte('{')
		} else {
			m.WriteByte(',')
		}
		m.WriteString(labels[i] + `="` + escaped(labels[i+1]) + `"`)
	}
	if len(labels) > 0 {
		m.WriteByte('}')
	}
	m.WriteString(" " + number(value) + "\n")
}

// lag writes a histogram, whose buckets have all that is below their bound.
func (m *exposition) lag(loop string, h *asyncio.LagHistogram) {
	sum, bounds := uint64(0), asyncio.LagBounds()
	for i, n := range h.Counts {
		sum += n
		bound := "+Inf"
		if i < len(bounds) {
			bound = canonical(bounds[i])
		}
		m.sample("asyncio_loop_lag_seconds_bucket", float64(sum), "loop", loop, "le", bound)
	}
	m.sample("asyncio_loop_lag_seconds_count", float64(sum), "loop", loop)
	m.sample("asyncio_loop_lag_seconds_sum", h.Sum.Seconds(), "loop", loop)
}

// canonical writes seconds as bounds are to be written: with a point.
func canonical(d time.Duration) string {
	text := number(d.Seconds())
	if !strings.ContainsAny(text, ".e") {
		text += ".0"
	}
	return text
}

func number(v float64) string {
	if v == float64(int64(v)) {
		return strconv.FormatInt(int64(v), 10)
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

var escapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// escaped is text between quotes, or of a help.
func escaped(text string) string { return escapes.Replace(strings.ToValidUTF8(text, "\uFFFD")) }
