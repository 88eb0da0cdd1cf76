package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/go-greenlet/greenlet/asyncio"
)

// What the queue promises:
//
//   - A task that produce has reported is done, or set aside with the reason. The
//     server keeps it in a file until then.
//   - A worker that dies, or is silent for too long, loses its tasks to others.
//   - A task has one result. It may be begun twice, if its worker has died, and
//     then the worker that gets it says so; or if the server was killed, which may
//     not know then that somebody had it, and the worker that is slower says so. So
//     what a task does must bear that.
//   - A task that fails several times, or kills its workers, is set aside.

const (
	tries   = 3               // before a task is set aside
	backoff = time.Second / 4 // after the first failure; it doubles
)

// A job is a task as it lies in the queue.
type job struct {
	ID   string
	Kind string // of kinds
	N    int
}

// An outcome is what remains of a job: its result, or why it was set aside.
type outcome struct {
	job
	Value  string
	Worker string
	Try    int
	Reason string // set aside, and why
}

// A queue is a connection to the server. The client of NATS has goroutines of its
// own for which its callers wait by channels: so tasks call it in threads.
type queue struct {
	conn    *nats.Conn
	tasks   jetstream.Stream
	workers jetstream.Consumer
	done    jetstream.KeyValue // outcomes, by the job's ID
	aside   jetstream.KeyValue // outcomes, too
	begun   jetstream.KeyValue // how often a task was begun, if more than once
	js      jetstream.JetStream
}

// connect waits for the server, for as long as ctx goes on, and makes what is
// missing there.
func connect(ctx context.Context, o options) (*queue, error) {
	q := new(queue)
	err := retry(ctx, func(ctx context.Context) (err error) {
		if q.conn == nil {
			q.conn, err = nats.Connect(o.url, nats.MaxReconnects(-1), nats.ReconnectWait(100*time.Millisecond))
			if err != nil {
				return err
			}
		}
		if q.js, err = jetstream.New(q.conn); err != nil {
			return err
		}
		q.tasks, err = q.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
			Name:       "tasks",
			Subjects:   []string{"tasks.>"},
			Retention:  jetstream.WorkQueuePolicy, // a task that is done goes
			Duplicates: 10 * time.Minute,
			Replicas:   o.replicas,
		})
		if err != nil {
			return err
		}
		q.workers, err = q.tasks.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{
			Durable:       "workers",
			AckPolicy:     jetstream.AckExplicitPolicy,
			AckWait:       o.ackWait,
			MaxDeliver:    -1, // we count ourselves, and set aside
			MaxAckPending: 10_000,
		})
		if err != nil {
			return err
		}
		for name, bucket := range map[string]*jetstream.KeyValue{"done": &q.done, "aside": &q.aside, "begun": &q.begun} {
			*bucket, err = q.js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: name, Replicas: o.replicas})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		q.close()
		return nil, err
	}
	return q, nil
}

func (q *queue) close() {
	if q.conn != nil {
		q.conn.Close()
	}
}

// put puts j into the queue. The server drops it if it has one with that ID, so a
// second try does no harm.
func (q *queue) put(ctx context.Context, j job) error {
	data, err := json.Marshal(j)
	if err != nil {
		return err
	}
	return retry(ctx, func(ctx context.Context) error {
		_, err := q.js.Publish(ctx, "tasks."+j.Kind, data, jetstream.WithMsgID(j.ID))
		return err
	})
}

// take returns the next message, or nil if there is none for a while. It cannot be
// interrupted: what is received is somebody's.
func (q *queue) take(ctx context.Context) (jetstream.Msg, error) {
	return asyncio.ToThread(ctx, func(context.Context) (jetstream.Msg, error) {
		batch, err := q.workers.Fetch(1, jetstream.FetchMaxWait(time.Second/2))
		if err != nil {
			return nil, err
		}
		for m := range batch.Messages() {
			return m, nil
		}
		return nil, batch.Error()
	})
}

// record writes down the outcome of a job. It reports false if there was one.
func (q *queue) record(ctx context.Context, r outcome) (first bool, err error) {
	data, err := json.Marshal(r)
	if err != nil {
		return false, err
	}
	bucket := q.done
	if r.Reason != "" {
		bucket = q.aside
	}
	err = retry(ctx, func(ctx context.Context) error {
		_, err := bucket.Create(ctx, r.ID, data)
		first = err == nil
		if errors.Is(err, jetstream.ErrKeyExists) {
			return nil
		}
		return err
	})
	return first, err
}

// recorded reports whether the job has an outcome.
func (q *queue) recorded(ctx context.Context, id string) (yes bool, err error) {
	err = retry(ctx, func(ctx context.Context) error {
		for _, bucket := range []jetstream.KeyValue{q.done, q.aside} {
			switch _, err := bucket.Get(ctx, id); {
			case err == nil:
				yes = true
			case !errors.Is(err, jetstream.ErrKeyNotFound):
				return err
			}
		}
		return nil
	})
	return yes, err
}

// begin notes that the task is begun another time, and returns how often it was.
func (q *queue) begin(ctx context.Context, id string) (try int, err error) {
	err = retry(ctx, func(ctx context.Context) error {
		try = 1 // before its first time nothing is noted
		switch entry, err := q.begun.Get(ctx, id); {
		case err == nil:
			if try, err = strconv.Atoi(string(entry.Value())); err != nil {
				return err
			}
		case !errors.Is(err, jetstream.ErrKeyNotFound):
			return err
		}
		try++
		_, err := q.begun.Put(ctx, id, []byte(strconv.Itoa(try)))
		return err
	})
	return try, err
}

// outcomes returns all of a bucket.
func outcomes(ctx context.Context, bucket jetstream.KeyValue) (all []outcome, err error) {
	err = retry(ctx, func(ctx context.Context) error {
		all = nil
		keys, err := bucket.ListKeys(ctx)
		if err != nil {
			return err
		}
		for key := range keys.Keys() {
			var r outcome
			entry, err := bucket.Get(ctx, key)
			if err != nil {
				return err
			}
			if err := json.Unmarshal(entry.Value(), &r); err != nil {
				return err
			}
			all = append(all, r)
		}
		return nil
	})
	return all, err
}

// retry calls f in a thread until it succeeds: a server that is away comes back.
func retry(ctx context.Context, f func(ctx context.Context) error) error {
	for {
		err := asyncio.ToThreadFunc(ctx, func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
			defer cancel()
			return f(ctx)
		})
		if err == nil || !asyncio.IsException(err) {
			return err
		}
		var refused *jetstream.APIError
		if errors.As(err, &refused) && refused.Code < 500 {
			return fmt.Errorf("the queue refuses: %w", err)
		}
		if err := asyncio.Sleep(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}
