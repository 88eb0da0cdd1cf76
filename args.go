package greenlet

// Args is several values, or none, sent in one switch. It is a type of its own
// so that one slice that is sent stays one value: Switch([]any{1, 2}) sends a
// list, Switch(Args{1, 2}) two values, Switch(Args{}) no value and Switch(nil)
// one value, nil. Nothing is converted on the way: the other side receives what
// was sent.
//
// Python: the positional arguments of switch. Named values are sent as a map,
// alone or as the last of the Args.
type Args []any
