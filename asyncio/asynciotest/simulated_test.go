package asynciotest_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/asynciotest"
	"github.com/go-greenlet/greenlet/asyncio/simnet"
)

// register is a register with a fault: what it has said to have put is lost in a crash.
func register(ctx context.Context) error {
	pc, err := asyncio.ListenPacket(ctx, "udp4", ":7000")
	if err != nil {
		return err
	}
	defer pc.Close()
	var value byte
	p := make([]byte, 2)
	for {
		n, from, err := pc.ReadFrom(p)
		if err != nil {
			return err
		}
		if n == 2 {
			value = p[1]
		}
		pc.WriteTo([]byte{value}, from)
	}
}

// askRegister puts something, or gets it if p is of one byte.
func askRegister(ctx context.Context, p ...byte) (byte, error) {
	c, err := asyncio.Dial(ctx, "udp", "server:7000")
	if err != nil {
		return 0, err
	}
	defer c.Close()
	for range 100 {
		if _, err := c.Write(p); err != nil {
			return 0, err
		}
		var got [1]byte
		err := asyncio.WithTimeout(ctx, 100*time.Millisecond, func(ctx context.Context, _ *asyncio.Timeout) error {
			_, err := c.Read(got[:])
			return err
		})
		if err == nil {
			return got[0], nil
		}
		asyncio.Sleep(ctx, 100*time.Millisecond)
	}
	return 0, errors.New("no answer")
}

func testRegister(t testing.TB, ctx context.Context) {
	n := simnet.Of(ctx)
	server := n.Host("server")
	server.Start(register)
	for _, other := range []string{"a", "b", "c"} {
		n.Host(other).Start(register)
	}
	client := asyncio.Go(ctx, func(ctx context.Context) error {
		for v := byte(1); v < 20; v++ {
			if _, err := askRegister(ctx, 0, v); err != nil {
				return err
			}
			asyncio.Sleep(ctx, time.Second)
			got, err := askRegister(ctx, 0)
			if err != nil {
				return err
			}
			simnet.Sometimes(ctx, "it works", got == v)
			simnet.Sometimes(ctx, "it is lost twice", false)
			if got != v {
				t.Fatalf("got %d, want %d", got, v)
			}
		}
		return nil
	})
	n.Play(ctx, simnet.Swarm(ctx, 20*time.Second, n.Hosts()[1:]...))
	n.HealAll()
	client.Await(ctx)
}

func TestExploreShrinks(t *testing.T) {
	d := &double{TB: t}
	asynciotest.Explore(d, 30, testRegister, asynciotest.WithNetwork(simnet.Config{}))
	require.Len(t, d.told, 1)
	said := d.told[0]
	t.Log(said)
	assert.Contains(t, said, "want ")
	assert.Contains(t, said, "run it again: "+asynciotest.SeedVar+"=")
	_, plan, ok := strings.Cut(said, "it fails:\n")
	require.True(t, ok)
	plan, _, _ = strings.Cut(plan, "run it again")
	assert.LessOrEqual(t, strings.Count(plan, "At:"), 2, "a crash or a kill is enough")
	assert.Regexp(t, `Do: "(crash|kill|restart)", On: "server"`, plan)
}

func TestExploreLogsWhatIsNeverReached(t *testing.T) {
	d := &double{TB: t}
	asynciotest.Explore(logger{d}, 1, func(t testing.TB, ctx context.Context) {
		simnet.Sometimes(ctx, "yes", true)
		simnet.Sometimes(ctx, "yes", false)
		simnet.Sometimes(ctx, "no", false)
	}, asynciotest.WithNetwork(simnet.Config{}))
	assert.Equal(t, []string{"in none of 1 seeds: no"}, d.told)
}

// logger notes what is logged, too.
type logger struct{ *double }

func (l logger) Logf(f string, a ...any) { l.told = append(l.told, fmt.Sprintf(f, a...)) }

func TestExploreWritesEvents(t *testing.T) {
	file := filepath.Join(t.TempDir(), "events")
	t.Setenv(asynciotest.SeedVar, "3")
	t.Setenv(asynciotest.EventsVar, file)
	asynciotest.Explore(t, 30, func(t testing.TB, ctx context.Context) {
		simnet.Note(ctx, "hello")
	}, asynciotest.WithNetwork(simnet.Config{}))
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Contains(t, string(text), "note       test hello")
}

// checks runs five seeds twice, and returns what the check says.
func checks(t *testing.T, f func(t testing.TB, ctx context.Context)) string {
	d := &double{TB: t}
	asynciotest.Explore(d, 5, f, asynciotest.WithCheck(1), asynciotest.WithNetwork(simnet.Config{Latency: simnet.Uniform(0, time.Second)}))
	return strings.Join(d.told, "\n")
}

// Where the second run was is told: also of a task that goes on at another time.
func TestCheckTellsWhere(t *testing.T) {
	assert.Contains(t, checks(t, talk(sleepsAtRandom)), "sleepsAtRandom")
	assert.Contains(t, checks(t, talk(notesAtRandom)), "notesAtRandom")
}

func sleepsAtRandom(ctx context.Context) string {
	// Before anything of the connection happens: each packet takes longer.
	asyncio.Sleep(ctx, time.Duration(mathrand.Int64N(int64(time.Microsecond))))
	return "later"
}

func notesAtRandom(ctx context.Context) string {
	simnet.Note(ctx, mathrand.Uint64())
	return ""
}

func TestCheckPassesWhatSeedsDecide(t *testing.T) {
	for name, say := range map[string]func(ctx context.Context) string{
		"nothing":            func(ctx context.Context) string { return "hello" },
		"simnet.Rand":        func(ctx context.Context) string { return fmt.Sprint(simnet.Rand(ctx).Uint64()) },
		"asynciotest.Rand":   func(ctx context.Context) string { return fmt.Sprint(asynciotest.Rand(ctx).Uint64()) },
		"asyncio.Now":        func(ctx context.Context) string { return asyncio.Now(ctx).String() },
		"the name of a task": func(ctx context.Context) string { return asyncio.CurrentTask(ctx).Name() },
		"ToThread alone": func(ctx context.Context) string {
			s, _ := asyncio.ToThread(ctx, func(context.Context) (string, error) { return "done", nil })
			return s
		},
		"a timeout": func(ctx context.Context) string {
			return fmt.Sprint(asyncio.WithTimeout(ctx, time.Second, func(ctx context.Context, _ *asyncio.Timeout) error {
				return asyncio.Sleep(ctx, time.Hour)
			}))
		},
		"a deadline by time.Now": func(ctx context.Context) string {
			c, err := asyncio.Dial(ctx, "udp", "server:1")
			if err != nil {
				return err.Error()
			}
			defer c.Close()
			c.SetReadDeadline(time.Now().Add(30 * time.Second))
			_, err = c.Read(make([]byte, 1))
			l, _ := asyncio.RunningLoop(ctx)
			return fmt.Sprint(err, l.Time())
		},
		"a deadline by asyncio.Now": func(ctx context.Context) string {
			ln, err := asyncio.Listen(ctx, "tcp", ":1")
			if err != nil {
				return err.Error()
			}
			defer ln.Close()
			ln.(interface{ SetDeadline(time.Time) error }).SetDeadline(asyncio.Now(ctx).Add(30 * time.Second))
			_, err = ln.Accept()
			var op *net.OpError
			return fmt.Sprint(errors.As(err, &op), op.Timeout(), asyncio.Now(ctx))
		},
	} {
		t.Run(name, func(t *testing.T) { assert.Empty(t, checks(t, talk(say))) })
	}
}

// crypto/rand is seeded where it can be.
func TestCryptoIsSeeded(t *testing.T) {
	if !seedsCrypto {
		t.Skip("not with this Go")
	}
	random := func(ctx context.Context) string {
		p := make([]byte, 8)
		rand.Read(p)
		return fmt.Sprintf("%x", p)
	}
	assert.Contains(t, checks(t, talk(random)), "twice", "a double is no *testing.T")
	asynciotest.Explore(t, 3, talk(random), asynciotest.WithCheck(1), asynciotest.WithNetwork(simnet.Config{}))
}
