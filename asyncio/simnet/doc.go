// Package simnet runs a distributed program in one process, as hosts of a simulated
// network, on virtual time, under faults, and decides everything random by a seed:
// the same seed is the same run, event by event.
//
//	asynciotest.Explore(t, 1000, func(t testing.TB, ctx context.Context) {
//		net := simnet.Of(ctx)
//		for _, name := range []string{"n1", "n2", "n3"} {
//			net.Host(name).Start(serve) // again after each restart
//		}
//		client := net.Host("client").Go(ctx, load)
//		net.Play(ctx, simnet.Swarm(ctx, 30*time.Second, net.Hosts()[1:4]...))
//		net.HealAll()
//		_, err := client.Await(ctx) // it must work again
//		require.NoError(t, err)
//	}, asynciotest.WithNetwork(simnet.Config{Loss: 0.01}))
//
// A Host is where tasks run: those that its Start and Go begin, and the tasks that
// they begin; the context carries it. What has been started on none is on the host of
// the test itself. The program calls Dial, Listen, OpenConnection, StartServer and so
// on of package asyncio, as in production, and asyncio.Now for the wall clock.
//
// The seed decides the order of the tasks of a turn, what is lost and how long it
// takes, the plan of Swarm and the numbers of Rand: each from a source of its own, so
// that a number more in one place moves nothing elsewhere. What is not the seed's is
// the program's to avoid: the order of a map, math/rand, time.Now.
// asynciotest.WithCheck finds it.
//
// Everything here belongs to the loop.
package simnet
