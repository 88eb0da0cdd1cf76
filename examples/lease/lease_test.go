package main

import (
	"context"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/asynciotest"
	"github.com/go-greenlet/greenlet/asyncio/simnet"
	"github.com/stretchr/testify/require"
)

// The program, on real sockets and a real file.
func TestRun(t *testing.T) {
	require.NoError(t, run(io.Discard, 300*time.Millisecond))
}

var simulated = simnet.Config{Latency: simnet.Exponential(time.Millisecond, 20*time.Millisecond), Loss: 0.01}

// Runs with other faults each.
func TestSimulation(t *testing.T) {
	asynciotest.Explore(t, 100, func(t testing.TB, ctx context.Context) {
		require.NoError(t, simulate(ctx, NoBug))
	}, asynciotest.WithNetwork(simulated), asynciotest.WithCheck(50))
}

// Each bug is found within a thousand seeds.
func TestBugs(t *testing.T) {
	for _, bug := range Bugs {
		t.Run(string(bug), func(t *testing.T) {
			for seed := range uint64(1000) {
				err := asynciotest.Simulate(seed+1, func(ctx context.Context) error { return simulate(ctx, bug) }, asynciotest.WithNetwork(simulated))
				if err != nil {
					t.Logf("seed %d: %v", seed+1, err)
					return
				}
			}
			t.Error("nothing was found")
		})
	}
}

const term = 3 * time.Second

// simulate has three workers add, for a minute of faults, after which all must work
// again, and end when they are told to.
func simulate(ctx context.Context, bug Bug) error {
	net := simnet.Of(ctx)
	where := Addrs{"leases:7000", "store:7000"}
	disk := simnet.NewDisk(simnet.DiskConfig{Sync: simnet.Uniform(time.Millisecond, 50*time.Millisecond)})
	leases := net.Host("leases", simnet.WithDisk(disk))
	leases.Start(func(ctx context.Context) error { return ServeLeases(ctx, where.Leases, term, disk, bug) })
	var store Store
	net.Host("store").Start(func(ctx context.Context) error { return store.Serve(ctx, where.Store, bug) })
	var holders error
	var newest uint64
	granted := make(map[uint64]*simnet.Host)
	sure := func(ctx context.Context, lease uint64) {
		h := simnet.HostOf(ctx)
		switch first := granted[lease]; {
		case holders != nil:
		case lease < newest:
			holders = fmt.Errorf("%v is sure that it has the lease %d, and there was %d", h, lease, newest)
		case first != nil && first != h:
			holders = fmt.Errorf("%v and %v have been granted the lease %d", first, h, lease)
		}
		granted[lease], newest = h, max(newest, lease)
	}
	hosts := []*simnet.Host{leases}
	for i := range 3 {
		h := net.Host(fmt.Sprint("w", i+1))
		h.Start(func(ctx context.Context) error {
			w := Worker{Addrs: where, Term: term, Rand: simnet.Rand(ctx), Bug: bug, Sure: sure}
			return w.Run(ctx)
		})
		hosts = append(hosts, h)
	}
	if err := net.Play(ctx, simnet.Swarm(ctx, time.Minute, hosts...)); err != nil { // the faults of this seed
		return err
	}
	net.HealAll()
	done := store.Value
	if err := asyncio.Sleep(ctx, 4*term); err != nil {
		return err
	}
	switch {
	case holders != nil:
		return holders
	case store.Broken != nil:
		return store.Broken
	case store.Value == done:
		return fmt.Errorf("nothing is wrong any more, and nobody works: the number stays %d", done)
	}
	for _, h := range hosts {
		h.Shutdown()
	}
	if err := asyncio.Sleep(ctx, term); err != nil {
		return err
	}
	for _, h := range hosts {
		if h.Running() {
			return fmt.Errorf("%v does not end when it is told to", h)
		}
	}
	return nil
}
