// Delegation shows YieldFrom, the yield from of Python: a questionnaire hands
// over to its sections, so that questions come out of, answers go into and
// errors are thrown at whichever section is being asked, while its caller sees
// one generator.
package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/go-greenlet/greenlet"
)

func main() {
	if err := run(os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// Questions are yielded, answers are sent, and the result is a score.
type (
	questions = greenlet.Generator[string, string, int]
	asker     = greenlet.Yielder[string, string]
)

// errSkip is thrown at a questionnaire by who wants to go on to the next
// section.
var errSkip = errors.New("skip this section")

// A card is a question and its right answer.
type card struct{ question, answer string }

// section asks its cards and returns how many answers were right. It can be
// skipped; what has been scored counts.
func section(w io.Writer, title string, cards ...card) *questions {
	return greenlet.NewGenerator(func(y *asker) (score int, err error) {
		defer func() { fmt.Fprintf(w, "  (%s: %d)\n", title, score) }()
		for _, c := range cards {
			answer, err := y.Yield(title + ": " + c.question)
			if errors.Is(err, errSkip) {
				return score, nil
			}
			if err != nil {
				return score, err
			}
			if answer == c.answer {
				score++
			}
		}
		return score, nil
	})
}

// questionnaire asks all sections and returns the sum of their scores.
func questionnaire(sections ...*questions) *questions {
	return greenlet.NewGenerator(func(y *asker) (total int, err error) {
		for _, s := range sections {
			score, err := greenlet.YieldFrom(y, s)
			if err != nil {
				return total, err
			}
			total += score
		}
		return total, nil
	})
}

func newQuestionnaire(w io.Writer) *questions {
	return questionnaire(
		section(w, "sums", card{"1 + 1", "2"}, card{"2 * 3", "6"}),
		section(w, "capitals", card{"France", "Paris"}, card{"Peru", "Lima"}, card{"Fiji", "Suva"}),
		section(w, "colours", card{"of the sky", "blue"}),
	)
}

func run(w io.Writer) error {
	defer greenlet.Close()

	// One who answers some, skips some, and comes to the end.
	q := newQuestionnaire(w)
	question, err := q.Next()
	for err == nil {
		answer, known := map[string]string{
			"sums: 1 + 1": "2", "sums: 2 * 3": "5",
			"capitals: France":    "Paris",
			"colours: of the sky": "blue",
		}[question]
		if known {
			fmt.Fprintf(w, "%s? %s\n", question, answer)
			question, err = q.Send(answer)
		} else {
			fmt.Fprintf(w, "%s? no more of these\n", question)
			question, err = q.Throw(errSkip)
		}
	}
	if !errors.Is(err, greenlet.ErrStop) {
		return err
	}
	score, _ := q.Result()
	fmt.Fprintf(w, "score: %d\n", score)

	// One who leaves: Close ends the section that asks, then the questionnaire.
	q = newQuestionnaire(w)
	if question, err = q.Next(); err != nil {
		return err
	}
	fmt.Fprintf(w, "%s? goodbye\n", question)
	return q.Close()
}
