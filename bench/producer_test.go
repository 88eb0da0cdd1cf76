package bench_test

import (
	"iter"
	"testing"

	"github.com/go-greenlet/greenlet"
)

// BenchmarkProducer brings a million ints from a producer to a consumer, which
// adds them up.
func BenchmarkProducer(b *testing.B) {
	b.Run("by=greenlet", items(throughVariable))
	b.Run("by=greenlet-pointer", items(throughPointer))
	b.Run("by=greenlet-boxed", items(throughAny))
	b.Run("by=pull", items(throughPull))
	b.Run("by=chan0", items(throughChannel(0)))
	b.Run("by=chan128", items(throughChannel(128)))
	b.Run("by=range", items(throughRange))
}

const million = 1_000_000

func items(sum func() int64) func(b *testing.B) {
	return func(b *testing.B) {
		b.ReportAllocs()
		b.ResetTimer()
		for range b.N {
			if s := sum(); s != million*(million-1)/2 {
				b.Fatalf("the sum is %d", s)
			}
		}
		b.StopTimer()
		b.ReportMetric(float64(b.N)*million/b.Elapsed().Seconds(), "items/s")
		b.ReportMetric(0, "ns/op")
	}
}

// throughVariable is how a program passes ints: an int in an any would have to
// be boxed, so the item lies in a variable that both sides see, and the switch
// says that it is there. Between two switches only one of them runs, so that
// needs no lock.
func throughVariable() (sum int64) {
	var item int
	root := greenlet.Current()
	producer := greenlet.New(func(any) (any, error) {
		for i := range million {
			item = i
			root.Switch(nil)
		}
		return nil, nil
	})
	for {
		producer.Switch(nil)
		if producer.Dead() {
			return sum
		}
		sum += int64(item)
	}
}

// throughPointer sends the address of an item, nil after the last.
func throughPointer() (sum int64) {
	root := greenlet.Current()
	producer := greenlet.New(func(any) (any, error) {
		x := new(box)
		for i := range million {
			x.n = i
			root.Switch(x)
		}
		return nil, nil
	})
	for {
		v, _ := producer.Switch(nil)
		x, ok := v.(*box)
		if !ok {
			return sum
		}
		sum += int64(x.n)
	}
}

// throughAny sends the int itself, which costs an allocation for each.
func throughAny() (sum int64) {
	root := greenlet.Current()
	producer := greenlet.New(func(any) (any, error) {
		for i := range million {
			root.Switch(i)
		}
		return nil, nil
	})
	for {
		v, _ := producer.Switch(nil)
		x, ok := v.(int)
		if !ok {
			return sum
		}
		sum += int64(x)
	}
}

func count(yield func(int) bool) {
	for i := range million {
		if !yield(i) {
			return
		}
	}
}

func throughPull() (sum int64) {
	next, stop := iter.Pull(count)
	defer stop()
	for {
		x, ok := next()
		if !ok {
			return sum
		}
		sum += int64(x)
	}
}

func throughChannel(size int) func() int64 {
	return func() (sum int64) {
		c := make(chan int, size)
		go func() {
			defer close(c)
			for i := range million {
				c <- i
			}
		}()
		for x := range c {
			sum += int64(x)
		}
		return sum
	}
}

// throughRange makes no switch at all: the compiler puts the consumer's loop
// into the producer's. Where that form fits, nothing beats it. The variable
// keeps it from doing so at the compiler's discretion.
func throughRange() (sum int64) {
	for x := range opaque {
		sum += int64(x)
	}
	return sum
}

var opaque iter.Seq[int] = count
