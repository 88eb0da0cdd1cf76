package main

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/asynciotest"
	"github.com/go-greenlet/greenlet/asyncio/simnet"
)

var simulated = simnet.Config{Latency: simnet.Exponential(time.Millisecond, 5*time.Millisecond), Loss: 0.01}

// A thousand runs of the cluster and its clients, each with other faults, on all processors.
func TestSimulation(t *testing.T) {
	asynciotest.Explore(t, 1000, func(t testing.TB, ctx context.Context) {
		if err := simulate(ctx, NoBug); err != nil {
			t.Fatal(err)
		}
	}, asynciotest.WithNetwork(simulated), asynciotest.WithWorkers(0))
}

// simulate runs the cluster and its clients as hosts of a simulated network, for half a
// minute of faults, after which all must work again.
func simulate(ctx context.Context, bug Bug) error {
	net := simnet.Of(ctx)
	addrs := []string{"n1:7000", "n2:7000", "n3:7000", "n4:7000", "n5:7000"}
	var nodes []*simnet.Host
	for i := range addrs {
		disk := simnet.NewDisk(simnet.DiskConfig{Sync: simnet.Uniform(time.Millisecond, 20*time.Millisecond)})
		h := net.Host(fmt.Sprint("n", i+1), simnet.WithDisk(disk))
		h.Start(func(ctx context.Context) error { // and again after each restart
			return Serve(ctx, Config{ID: i + 1, Addrs: addrs, Disk: disk, Bug: bug})
		})
		nodes = append(nodes, h)
	}
	var history History
	var clients []*asyncio.Task[asyncio.None]
	for i := range 3 {
		h := net.Host(fmt.Sprint("c", i+1))
		clients = append(clients, h.Go(ctx, func(ctx context.Context) error {
			return Load(ctx, h.Name(), addrs, bug, simnet.Rand(ctx), 30*time.Second, &history)
		}))
	}
	if err := net.Play(ctx, simnet.Swarm(ctx, 30*time.Second, nodes...)); err != nil { // the faults of this seed
		return err
	}
	net.HealAll()
	for _, c := range clients {
		if _, err := asyncio.WaitFor(ctx, 2*time.Minute, c); err != nil {
			return fmt.Errorf("nothing is wrong any more, and a client is not served: %w", err)
		}
	}
	if !history.Linearizable() {
		return fmt.Errorf("the history of %d requests is not linearizable", len(history))
	}
	return nil
}
