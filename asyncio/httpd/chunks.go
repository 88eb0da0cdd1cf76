package httpd

import (
	"net/http"
	"strconv"
	"strings"
)

// A chunkWriter is a response as what its pieces are written to: it puts the head
// before the first one, and each into a chunk if the length is not known.
type chunkWriter response

func (cw *chunkWriter) Write(p []byte) (n int, err error) {
	w := (*response)(cw)
	w.sendHead(p)
	if w.method == "HEAD" {
		return len(p), nil
	}
	bw := w.c.bw
	if w.chunked {
		bw.Write(strconv.AppendUint(bw.AvailableBuffer(), uint64(len(p)), 16))
		bw.WriteString("\r\n")
	}
	n, err = bw.Write(p)
	if w.chunked && err == nil {
		_, err = bw.WriteString("\r\n")
	}
	if err != nil {
		w.c.rwc.Close()
	}
	return n, err
}

// endChunks ends a chunked body, with its trailer.
func (w *response) endChunks() {
	if !w.chunked {
		return
	}
	bw := w.c.bw
	bw.WriteString("0\r\n")
	if t := w.finalTrailer(); t != nil {
		t.Write(bw)
	}
	bw.WriteString("\r\n")
}

// finalTrailer returns what the handler has set of the trailer, or nil.
func (w *response) finalTrailer() (t http.Header) {
	add := func(name string, values []string) {
		if t == nil {
			t = make(http.Header)
		}
		t[name] = append(t[name], values...)
	}
	for name, values := range w.header {
		if name, ok := strings.CutPrefix(name, http.TrailerPrefix); ok {
			add(name, values)
		}
	}
	for _, name := range w.trailer {
		add(name, w.header[name])
	}
	return t
}
