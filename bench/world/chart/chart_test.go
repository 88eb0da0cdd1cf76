package chart

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
)

// What is drawn is XML, and has what was given.
func TestDrawn(t *testing.T) {
	for name, image := range map[string]string{
		"bars":  Bars("a < b", "note", []Bar{{"one & all", Blue, 1, 2}, {"two", Grey, 2000, 1}}),
		"lines": Lines("a < b", "note", []Line{{"one & all", Blue, [][2]float64{{2, 3}, {100_000, 2000}}}, {"two", Red, [][2]float64{{2, 1}}}}),
	} {
		d := xml.NewDecoder(strings.NewReader(image))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v in\n%s", name, err, image)
			}
		}
		for _, want := range []string{"a &lt; b", "one &amp; all", "two"} {
			if !strings.Contains(image, want) {
				t.Errorf("%s: no %q in\n%s", name, want, image)
			}
		}
		if strings.Contains(image, "NaN") || strings.Contains(image, "Inf") {
			t.Errorf("%s: no number in\n%s", name, image)
		}
	}
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{0.1234: "0.123", 9.5: "9.5", 10: "10", 12.34: "12.3", 123.4: "123", 1e6: "1,000,000", math.NaN(): ""} {
		if got := Number(v); got != want {
			t.Errorf("%v is %q, want %q", v, got, want)
		}
	}
}
