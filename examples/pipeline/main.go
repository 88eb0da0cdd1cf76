// Pipeline shows push turned to pull: a lexer pushes tokens from a loop of its
// own, a recursive-descent parser asks for them one by one, and both keep their
// plain form because each runs on a stack of its own. Together they calculate.
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/go-greenlet/greenlet"
)

func main() {
	run(os.Stdout, os.Args[1:])
}

// run writes the value of each expression.
func run(w io.Writer, exprs []string) {
	defer greenlet.Close()

	if len(exprs) == 0 {
		exprs = []string{"1 + 2 * 3", "(1 + 2) * 3", "8 / (3 - 1) - -1", "2 * (3", "2 ? 3"}
	}
	for _, expr := range exprs {
		if v, err := eval(expr); err != nil {
			fmt.Fprintf(w, "%s: %v\n", expr, err)
		} else {
			fmt.Fprintf(w, "%s = %v\n", expr, v)
		}
	}
}

// eval runs the lexer in a greenlet and the parser in the current one. Each
// pull lets the lexer run up to its next push; an error of the lexer is the
// error of the pull that met it.
func eval(expr string) (float64, error) {
	parsing := greenlet.Current()
	lexing := greenlet.New(func(any) (any, error) {
		return "", lex(expr, func(token string) error {
			_, err := parsing.Switch(token)
			return err
		})
	})
	defer lexing.Kill() // the parser may give up before the lexer is done

	return parse(func() (string, error) {
		token, err := lexing.Switch(nil)
		if err != nil {
			return "", err
		}
		return token.(string), nil
	})
}
