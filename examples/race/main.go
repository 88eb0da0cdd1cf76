// Race finds a bug that asyncio's order hides: an account that checks its
// balance, waits for the bank's approval and then pays. Two withdrawals of the
// same money go well as long as the second begins when the first has paid, which
// in the ordinary order it always does. A hundred seeds, each another order of
// tasks that are ready at the same time, show that nothing guarantees it.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/asynciotest"
)

func main() {
	log.SetFlags(0)
	seed := flag.Uint64("seed", 0, "run this seed only, and tell what happens")
	flag.Parse()
	if err := run(os.Stdout, *seed); err != nil {
		log.Fatal("race: ", err)
	}
}

// An account holds money, and should never hold less than none.
type account struct {
	balance int
	log     io.Writer
}

// withdraw has the bug: the balance that it checks is not the one that it pays
// from, because it waits in between.
func (a *account) withdraw(ctx context.Context, who string, amount int) error {
	fmt.Fprintf(a.log, "  %s: %d of %d wanted\n", who, amount, a.balance)
	if a.balance < amount {
		return nil
	}
	if err := approve(ctx); err != nil {
		return err
	}
	a.balance -= amount
	fmt.Fprintf(a.log, "  %s: paid, %d left\n", who, a.balance)
	return nil
}

// approve asks the bank, which takes a turn of the loop.
func approve(ctx context.Context) error { return asyncio.Sleep(ctx, 0) }

// twoWithdrawals is the test: ann is served, and ben comes right after her.
func twoWithdrawals(log io.Writer) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		a := &account{balance: 100, log: log}
		ann := asyncio.Go(ctx, func(ctx context.Context) error { return a.withdraw(ctx, "ann", 80) })
		if err := asyncio.Sleep(ctx, 0); err != nil {
			return err
		}
		ben := asyncio.Go(ctx, func(ctx context.Context) error { return a.withdraw(ctx, "ben", 50) })
		if _, err := asyncio.Gather(ctx, ann, ben).Await(ctx); err != nil {
			return err
		}
		if a.balance < 0 {
			return fmt.Errorf("overdrawn: %d", a.balance)
		}
		return nil
	}
}

const seeds = 100

func run(w io.Writer, seed uint64) error {
	if seed != 0 {
		fmt.Fprintf(w, "seed %d:\n", seed)
		_, err := fmt.Fprintln(w, " ", result(asynciotest.Simulate(seed, twoWithdrawals(w))))
		return err
	}

	fmt.Fprintln(w, "the ordinary order:")
	fmt.Fprintln(w, " ", result(asyncio.RunFunc(context.Background(), twoWithdrawals(w))))

	failed, first := 0, uint64(0)
	for seed := uint64(1); seed <= seeds; seed++ {
		if asynciotest.Simulate(seed, twoWithdrawals(io.Discard)) != nil {
			failed++
			if first == 0 {
				first = seed
			}
		}
	}
	fmt.Fprintf(w, "%d of %d seeds fail, the first is %d; to run it again: -seed=%d\n", failed, seeds, first, first)
	if first == 0 {
		return nil
	}
	return run(w, first)
}

func result(err error) string {
	if err != nil {
		return err.Error()
	}
	return "fine"
}
