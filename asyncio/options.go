package asyncio

// What a call can be told beyond its arguments is an option, and all options are of one
// kind: a value of an interface that has one method, of this package. Each call has an
// interface for its options, which stands in the file of what they choose, with the type
// of functions that are such options; what more than one call takes is of an interface that
// embeds theirs. Functions whose names begin with With make them, and a few that read
// better without. Later options overrule earlier ones. A nil option is none: it is passed
// over, so that a program may have a variable for one that it does not always give.

// choose has opts make their choices in o, each by set, the method of its interface.
func choose[O, Option any](o *O, opts []Option, set func(Option, *O)) {
	for _, opt := range opts {
		if any(opt) != nil {
			set(opt, o)
		}
	}
}
