package greenlet_test

import (
	"fmt"

	"github.com/go-greenlet/greenlet"
)

func Example() {
	defer greenlet.Close()
	main := greenlet.Current()
	g := greenlet.New(func(v any) (any, error) {
		fmt.Println("g starts with", v)
		v, err := main.Switch("a question")
		fmt.Println("g goes on with", v)
		return "goodbye", err
	})
	fmt.Println(g.Switch("hello"))     // runs g up to its Switch
	fmt.Println(g.Switch("an answer")) // g goes on where it waits
	// Output:
	// g starts with hello
	// a question <nil>
	// g goes on with an answer
	// goodbye <nil>
}
