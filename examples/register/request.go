package main

import (
	"strconv"
	"strings"
)

// A request is a line: who asks, which of its requests it is, what to do.
type request struct {
	client         string
	serial         int
	op, key, value string
}

func (q request) String() string {
	return strings.Join([]string{q.client, strconv.Itoa(q.serial), q.op, q.key, q.value}, " ")
}

func (q request) id() string { return q.client + " " + strconv.Itoa(q.serial) }

func parse(line string) (q request, ok bool) {
	f := strings.Split(line, " ")
	if len(f) != 5 {
		return q, false
	}
	serial, err := strconv.Atoi(f[1])
	return request{f[0], serial, f[2], f[3], f[4]}, err == nil
}
