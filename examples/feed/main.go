// Feed shows libraries that read, archive/tar and encoding/xml, fed by somebody who
// writes: a piece of the data at a time, cut anywhere. No goroutine and no pipe are
// between them: each Write runs the reader to where it needs more.
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/xml"
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	"github.com/go-greenlet/greenlet"
)

func main() {
	if err := run(os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(w io.Writer) error {
	defer greenlet.Close()

	fmt.Fprintln(w, "a conversation:")
	talk := NewFeed(func(r io.Reader) error { return stanzas(w, r) })
	for _, piece := range []string{"<stream><mess", "age>hello</message><mes", "sage>how are", " you?</message>", "</stream>"} {
		fmt.Fprintf(w, "  < %s\n", piece)
		if _, err := io.WriteString(talk, piece); err != nil {
			return err
		}
	}
	if err := talk.Close(); err != nil {
		return err
	}

	fmt.Fprintln(w, "an archive:")
	archive, err := pack(map[string]string{"poem.txt": strings.Repeat("la ", 1000)})
	if err != nil {
		return err
	}
	files := NewFeed(func(r io.Reader) error { return list(w, r) })
	if _, err := io.Copy(files, bytes.NewReader(archive)); err != nil {
		return err
	}
	if err := files.Close(); err != nil {
		return err
	}

	cut := NewFeed(func(r io.Reader) error { return list(w, r) })
	cut.Write(archive[:len(archive)/2])
	fmt.Fprintln(w, "cut in the middle:", cut.Close())
	wrong := NewFeed(func(r io.Reader) error { return list(w, r) })
	_, err = io.WriteString(wrong, "this is no archive")
	fmt.Fprintln(w, "something else:", err)
	return nil
}

// stanzas prints each message of a stream as soon as it is there.
func stanzas(w io.Writer, r io.Reader) error {
	for d := xml.NewDecoder(r); ; {
		t, err := d.Token()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if start, ok := t.(xml.StartElement); ok && start.Name.Local == "message" {
			var text string
			if err := d.DecodeElement(&text, &start); err != nil {
				return err
			}
			fmt.Fprintf(w, "  message %q\n", text)
		}
	}
}

// list prints what is in a compressed archive.
func list(w io.Writer, r io.Reader) error {
	plain, err := gzip.NewReader(r)
	if err != nil {
		return err
	}
	for files := tar.NewReader(plain); ; {
		h, err := files.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		n, err := io.Copy(io.Discard, files)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "  %s, %d bytes\n", h.Name, n)
	}
}

func pack(files map[string]string) ([]byte, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	t := tar.NewWriter(z)
	for name, text := range files {
		if err := t.WriteHeader(&tar.Header{Name: name, Size: int64(len(text)), Mode: 0o644}); err != nil {
			return nil, err
		}
		if _, err := io.WriteString(t, text); err != nil {
			return nil, err
		}
	}
	if err := t.Close(); err != nil {
		return nil, err
	}
	err := z.Close()
	return b.Bytes(), err
}
