package simnet

import "github.com/go-greenlet/greenlet/asyncio"

// A checked run is compared with another of the same seed, event by event.
type checked struct {
	want []Event
	at   int
	says func(nth int, want, got *Event, task asyncio.AnyTask)
	task asyncio.AnyTask // whose step begins
}

func (c *checked) compare(got *Event) {
	var want *Event
	if c.at < len(c.want) {
		want = &c.want[c.at]
	}
	c.at++
	if c.says != nil && (want == nil || !want.same(got)) {
		var task asyncio.AnyTask
		if got.Kind == Step {
			task = c.task
		}
		c.says(c.at-1, want, got, task)
		c.says = nil
	}
}

// Compare has the run compared with another one, whose events want are: all of them,
// as Config.Keep and Steps can have it. differs is called once, when an event is not
// what it was there, at the moment when it happens: nth is its place in want, and the
// event in want is nil if that one had no more. If it is a Step, task is the one that
// goes on, which still stands where it waited. differs must not wait. Compare is called
// before the loop runs.
func (n *Network) Compare(want []Event, differs func(nth int, want, got *Event, task asyncio.AnyTask)) {
	n.log.check = &checked{want: want, says: differs}
}
