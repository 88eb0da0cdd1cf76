package greenlet_test

import (
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"
	"strings"
)

// A cpuProfile is as much of a profile in the pprof format as the tests need.
// The numbers of fields are those of its definition, profile.proto.
type cpuProfile struct {
	samples   [][]uint64          // locations, innermost first
	locations map[uint64][]uint64 // location -> functions, an inlined one first
	functions map[uint64]uint64   // function -> index of its name
	strings   []string
}

func parseProfile(r io.Reader) (*cpuProfile, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(z)
	if err != nil {
		return nil, err
	}
	p := &cpuProfile{locations: make(map[uint64][]uint64), functions: make(map[uint64]uint64)}
	return p, eachField(data, func(field int, _ uint64, part []byte) error {
		switch field {
		case 2: // sample
			var s []uint64
			err := eachField(part, func(field int, n uint64, packed []byte) error {
				if field == 1 {
					s = appendPacked(s, n, packed)
				}
				return nil
			})
			p.samples = append(p.samples, s)
			return err
		case 4: // location
			var id uint64
			var functions []uint64
			err := eachField(part, func(field int, n uint64, line []byte) error {
				switch field {
				case 1:
					id = n
				case 4: // line
					return eachField(line, func(field int, n uint64, _ []byte) error {
						if field == 1 {
							functions = append(functions, n)
						}
						return nil
					})
				}
				return nil
			})
			p.locations[id] = functions
			return err
		case 5: // function
			var id, name uint64
			err := eachField(part, func(field int, n uint64, _ []byte) error {
				switch field {
				case 1:
					id = n
				case 2:
					name = n
				}
				return nil
			})
			p.functions[id] = name
			return err
		case 6: // string_table
			p.strings = append(p.strings, string(part))
		}
		return nil
	})
}

// stacks returns the names of the samples' functions, innermost first.
func (p *cpuProfile) stacks() (stacks [][]string) {
	for _, s := range p.samples {
		var stack []string
		for _, at := range s {
			for _, f := range p.locations[at] {
				name := p.strings[p.functions[f]]
				stack = append(stack, name[strings.LastIndexByte(name, '.')+1:])
			}
		}
		if len(stack) > 0 {
			stacks = append(stacks, stack)
		}
	}
	return stacks
}

// endsInCarry reports whether a stack is one of a greenlet, up to the end: the
// function that carry has made calls carrier.serve.
func endsInCarry(stack []string) bool {
	n := len(stack)
	return n >= 2 && stack[n-1] == "func1" && stack[n-2] == "serve"
}

// eachField calls f for each field of a protocol buffer: with a number, or with
// the bytes of a string, a message or packed numbers.
func eachField(data []byte, f func(field int, n uint64, part []byte) error) error {
	for len(data) > 0 {
		key, size := binary.Uvarint(data)
		if size <= 0 {
			return errMalformed
		}
		data = data[size:]
		n, size := binary.Uvarint(data)
		if size <= 0 {
			return errMalformed
		}
		data = data[size:]
		var part []byte
		switch key & 7 {
		case 0:
		case 2:
			if uint64(len(data)) < n {
				return errMalformed
			}
			part, data = data[:n], data[n:]
		default:
			return errMalformed // nothing else is in profiles
		}
		if err := f(int(key>>3), n, part); err != nil {
			return err
		}
	}
	return nil
}

var errMalformed = errors.New("malformed profile")

// appendPacked adds one number, or those that are packed.
func appendPacked(to []uint64, n uint64, packed []byte) []uint64 {
	if packed == nil {
		return append(to, n)
	}
	for len(packed) > 0 {
		n, size := binary.Uvarint(packed)
		if size <= 0 {
			return to
		}
		to, packed = append(to, n), packed[size:]
	}
	return to
}
