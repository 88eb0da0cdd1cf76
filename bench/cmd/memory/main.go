// Memory measures what a suspended greenlet costs in resident memory, its
// stack included, and a task of asyncio that sleeps, beside a goroutine that
// waits on a channel and a sequence of iter.Pull. Each figure is taken in a fresh process: the program runs itself.
// It prints lines in the format of Go benchmarks.
//
// It reads /proc, so it is for Linux. A million of a kind need 3 GB.
package main

import (
	"context"
	"flag"
	"fmt"
	"iter"
	"log"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/asyncio"
)

// A kind makes n that are suspended, and returns what keeps them alive.
var kinds = map[string]func(n int) any{
	"greenlet":  greenlets,
	"task":      tasks,
	"goroutine": goroutines,
	"pull":      pulls,
}

func main() {
	log.SetFlags(0)
	counts := flag.String("n", "10000,100000,1000000", "how many, a list")
	names := flag.String("by", "greenlet,task,goroutine,pull", "of which kinds, a list")
	here := flag.Bool("here", false, "measure in this process: one kind, one count")
	flag.Parse()

	for _, count := range strings.Split(*counts, ",") {
		n, err := strconv.Atoi(count)
		if err != nil || n <= 0 {
			log.Fatalf("memory: -n %q: want positive numbers", *counts)
		}
		for _, name := range strings.Split(*names, ",") {
			suspend, ok := kinds[name]
			if !ok {
				log.Fatalf("memory: -by %q: want greenlet, task, goroutine or pull", name)
			}
			if *here {
				fmt.Printf("BenchmarkMemory/n=%d/by=%s \t1\t%.1f B/each\n", n, name, measure(suspend, n))
				continue
			}
			fresh := exec.Command(os.Args[0], "-here", "-n", count, "-by", name)
			fresh.Stdout, fresh.Stderr = os.Stdout, os.Stderr
			if err := fresh.Run(); err != nil {
				log.Fatalf("memory: %d of %s: %v", n, name, err)
			}
		}
	}
}

func measure(suspend func(n int) any, n int) float64 {
	suspend(1) // whatever is made once
	runtime.GC()
	debug.FreeOSMemory()
	before := resident()
	keep := suspend(n)
	debug.FreeOSMemory() // the garbage of making them is not what they cost
	after := resident()
	runtime.KeepAlive(keep)
	return float64(after-before) / float64(n)
}

// resident returns the bytes of the process that are in memory.
func resident() int {
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		log.Fatal("memory: ", err)
	}
	var size, pages int
	if _, err := fmt.Sscan(string(statm), &size, &pages); err != nil {
		log.Fatal("memory: /proc/self/statm: ", err)
	}
	return pages * os.Getpagesize()
}

func greenlets(n int) any {
	root := greenlet.Current()
	gs := make([]*greenlet.Greenlet, n)
	for i := range gs {
		gs[i] = greenlet.New(func(v any) (any, error) { return root.Switch(v) })
		if _, err := gs[i].Switch(nil); err != nil {
			log.Fatal("memory: ", err)
		}
	}
	return gs
}

// tasks leaves n tasks of a loop in asyncio.Sleep. The loop is stopped when all
// sleep and it has waited, and kept.
func tasks(n int) any {
	l := asyncio.NewLoop()
	awake := n
	sleep := func(ctx context.Context) (asyncio.None, error) {
		if awake--; awake == 0 {
			l.CallLater(time.Millisecond, l.Stop)
		}
		return asyncio.None{}, asyncio.Sleep(ctx, time.Hour)
	}
	for range n {
		asyncio.NewTask(l, sleep)
	}
	if err := l.RunForever(); err != nil {
		log.Fatal("memory: ", err)
	}
	return l
}

func goroutines(n int) any {
	var running sync.WaitGroup
	wait := make(chan int)
	for range n {
		running.Add(1)
		go func() {
			running.Done()
			<-wait
		}()
	}
	running.Wait()
	return wait
}

func pulls(n int) any {
	nexts := make([]func() (int, bool), n)
	for i := range nexts {
		nexts[i], _ = iter.Pull(func(yield func(int) bool) { yield(i) })
		nexts[i]()
	}
	return nexts
}
