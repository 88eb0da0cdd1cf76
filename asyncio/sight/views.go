package sight

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/internal/printable"
)

// look is what h may show. It reports false if the answer was given already.
func (h *handler) look(w http.ResponseWriter) (*asyncio.Snapshot, bool) {
	s, err := theLooker.look()
	if err != nil {
		http.Error(w, "sight: no look could be taken: "+err.Error(), http.StatusServiceUnavailable)
		return nil, false
	}
	if h.hidesErrors {
		s = withoutErrors(s)
	}
	return s, true
}

func (h *handler) json(w http.ResponseWriter, r *http.Request) {
	s, ok := h.look(w)
	if !ok {
		return
	}
	q := r.URL.Query()
	all := q.Get("all") == "1"
	if name := q.Get("name"); name != "" {
		s, all = named(s, name), true
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	s.WriteJSON(w, all)
}

func (h *handler) text(w http.ResponseWriter, _ *http.Request) {
	s, ok := h.look(w)
	if !ok {
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if len(s.Loops) == 0 {
		io.WriteString(w, "no loop runs\n")
	}
	s.WriteTo(w)
}

func (h *handler) dot(w http.ResponseWriter, _ *http.Request) {
	s, ok := h.look(w)
	if !ok {
		return
	}
	w.Header().Set("Content-Type", "text/vnd.graphviz; charset=utf-8")
	s.WriteDOT(w)
}

// greenlets asks as net/http/pprof does: what comes without a debug is for go tool
// pprof.
func (h *handler) greenlets(w http.ResponseWriter, r *http.Request) {
	debug, err := strconv.Atoi(r.FormValue("debug"))
	if err != nil || debug < 0 || debug > 2 {
		debug = 0
	}
	if debug == 0 {
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Content-Disposition", `attachment; filename="greenlets"`)
	} else {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	}
	theLooker.mu.Lock() // it is a look, too
	defer theLooker.mu.Unlock()
	greenlet.WriteProfile(w, debug)
}

// task shows one task: where it waits, for whom, and who waits for it.
func (h *handler) task(w http.ResponseWriter, r *http.Request) {
	s, ok := h.look(w)
	if !ok {
		return
	}
	id, err := strconv.ParseUint(r.FormValue("id"), 10, 64)
	if err != nil {
		http.Error(w, "sight: which task? It takes ?id= and a number of tasks.json", http.StatusBadRequest)
		return
	}
	loop := r.FormValue("loop")
	for _, l := range s.Loops {
		if loop != "" && loop != strconv.FormatUint(l.ID, 10) && loop != l.Name {
			continue
		}
		for i := range l.Tasks {
			if l.Tasks[i].ID == id {
				w.Header().Set("Content-Type", "text/plain; charset=utf-8")
				io.WriteString(w, describe(l, &l.Tasks[i]))
				return
			}
		}
	}
	http.Error(w, "sight: there is no such task, or it has ended", http.StatusNotFound)
}

// describe returns all that is known of t.
func describe(l *asyncio.LoopSnapshot, t *asyncio.TaskSnapshot) string {
	var b strings.Builder
	names := func(what string, ids []uint64) {
		if len(ids) == 0 {
			return
		}
		wanted := make(map[uint64]bool)
		for _, id := range ids {
			wanted[id] = true
		}
		fmt.Fprintf(&b, "%s:\n", what)
		for _, t := range l.Tasks {
			if wanted[t.ID] {
				fmt.Fprintf(&b, "\t%d %s\n", t.ID, printable.Text(t.Name))
			}
		}
	}
	fmt.Fprintf(&b, "task %d of loop %s: %s\nstate: %s\n", t.ID, printable.Text(l.Name), printable.Text(t.Name), t.State)
	if t.Cancels > 0 {
		fmt.Fprintf(&b, "requests to cancel it: %d\n", t.Cancels)
	}
	for _, k := range l.Locks {
		if k.ID != t.Lock {
			continue
		}
		fmt.Fprintf(&b, "waits for a %s", k.Kind)
		if k.Holder != 0 {
			fmt.Fprintf(&b, ", held by %d %s", k.Holder, printable.Text(k.HolderName))
		}
		b.WriteByte('\n')
	}
	names("waits for", t.Awaits)
	names("is waited for by", t.By)
	for _, x := range l.Warnings {
		if x.Task == t.ID {
			fmt.Fprintf(&b, "%s: %s\n", x.ID, printable.Text(x.Text))
		}
	}
	for _, g := range l.Groups {
		if g.ID != t.Group || len(g.Stack) == 0 {
			continue
		}
		b.WriteString("stack:\n")
		for _, f := range g.Stack {
			fmt.Fprintf(&b, "\t%s\n\t\t%s:%d\n", f.Function, f.File, f.Line)
		}
	}
	return b.String()
}
