#!/usr/bin/env bash
# A transaction is a function that a library calls, and in the middle of it the
# goroutine ends by runtime.Goexit, as t.FailNow has it, and as a coroutine that is
# killed is unwound. Is what it has written until then kept?
#
# Guess: no. It has not returned, so the transaction is rolled back, as after a panic.
# Seen:
#   bun v1.2.15, RunInTx; gorm v1.31.0, Transaction; bbolt v1.4.3, Update: rolled back
#   goqu v9.19.0, WithTx; zombiezen sqlite v1.4.2, sqlitex.Transaction; buntdb v1.3.0,
#       Update: committed
# The first three remember whether the function has returned. The others look in a
# deferred call whether there is an error or a panic, and Goexit is neither. (buntdb
# does not look for a panic either.)
# So before what may be ended that way is given to a transaction, look how that one ends.
#
# Needs Go and the module proxy; building it takes minutes.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >go.mod <<'EOF2'
module commits

go 1.26.0

require (
	github.com/doug-martin/goqu/v9 v9.19.0
	github.com/glebarez/sqlite v1.11.0
	github.com/tidwall/buntdb v1.3.0
	github.com/uptrace/bun v1.2.15
	github.com/uptrace/bun/dialect/sqlitedialect v1.2.15
	go.etcd.io/bbolt v1.4.3
	gorm.io/gorm v1.31.0
	zombiezen.com/go/sqlite v1.4.2
)
EOF2
cat >main.go <<'EOF2'
package main

import (
	"context"
	"database/sql"
	"fmt"
	"runtime"

	"github.com/doug-martin/goqu/v9"
	_ "github.com/doug-martin/goqu/v9/dialect/sqlite3"
	gormite "github.com/glebarez/sqlite"
	"github.com/tidwall/buntdb"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"go.etcd.io/bbolt"
	"gorm.io/gorm"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// The ways in which a transaction's function ends.
var ends = []struct {
	name string
	end  func() error
}{
	{"an error", func() error { return fmt.Errorf("no") }},
	{"a panic", func() error { panic("no") }},
	{"Goexit", func() error { runtime.Goexit(); return nil }},
}

// try has transact called for each end, on a goroutine of its own, and asks each
// time what is kept.
func try(name string, transact func(end func() error), kept func() bool) {
	for _, e := range ends {
		done := make(chan bool)
		go func() {
			defer close(done)
			defer func() { recover() }()
			transact(e.end)
		}()
		<-done
		what := "rolled back"
		if kept() {
			what = "committed"
		}
		fmt.Printf("%s, %s: %s\n", name, e.name, what)
	}
}

func open(file string) (*sql.DB, func() bool) {
	db, err := sql.Open("sqlite", "file:"+file)
	must(err)
	db.SetMaxOpenConns(1)
	_, err = db.Exec("create table t (n integer)")
	must(err)
	return db, func() bool {
		var n int
		must(db.QueryRow("select count(*) from t").Scan(&n))
		_, err := db.Exec("delete from t")
		must(err)
		return n > 0
	}
}

func main() {
	const insert = "insert into t values (1)"
	ctx := context.Background()

	db, kept := open("bun.db")
	try("bun", func(end func() error) {
		bun.NewDB(db, sqlitedialect.New()).RunInTx(ctx, nil, func(_ context.Context, tx bun.Tx) error {
			_, err := tx.Exec(insert)
			must(err)
			return end()
		})
	}, kept)

	db, kept = open("gorm.db")
	g, err := gorm.Open(gormite.Dialector{Conn: db}, &gorm.Config{})
	must(err)
	try("gorm", func(end func() error) {
		g.Transaction(func(tx *gorm.DB) error {
			must(tx.Exec(insert).Error)
			return end()
		})
	}, kept)

	b, err := bbolt.Open("bbolt.db", 0o600, nil)
	must(err)
	try("bbolt", func(end func() error) {
		b.Update(func(tx *bbolt.Tx) error {
			_, err := tx.CreateBucket([]byte("t"))
			must(err)
			return end()
		})
	}, func() (found bool) {
		must(b.View(func(tx *bbolt.Tx) error {
			found = tx.Bucket([]byte("t")) != nil
			return nil
		}))
		return found
	})

	db, kept = open("goqu.db")
	try("goqu", func(end func() error) {
		goqu.New("sqlite3", db).WithTx(func(tx *goqu.TxDatabase) error {
			_, err := tx.Exec(insert)
			must(err)
			return end()
		})
	}, kept)

	conn, err := sqlite.OpenConn("zombiezen.db")
	must(err)
	must(sqlitex.Execute(conn, "create table t (n integer)", nil))
	try("zombiezen", func(end func() error) {
		func() (err error) {
			defer sqlitex.Transaction(conn)(&err)
			must(sqlitex.Execute(conn, insert, nil))
			return end()
		}()
	}, func() bool {
		n, err := sqlitex.ResultInt(conn.Prep("select count(*) from t"))
		must(err)
		must(sqlitex.Execute(conn, "delete from t", nil))
		return n > 0
	})

	bunt, err := buntdb.Open(":memory:")
	must(err)
	try("buntdb", func(end func() error) {
		bunt.Update(func(tx *buntdb.Tx) error {
			_, _, err := tx.Set("t", "1", nil)
			must(err)
			return end()
		})
	}, func() (found bool) {
		must(bunt.Update(func(tx *buntdb.Tx) error {
			_, err := tx.Delete("t")
			found = err == nil
			return nil
		}))
		return found
	})
}
EOF2
go mod tidy >/dev/null 2>&1
go run . | tee seen
diff seen - <<'EOF2'
bun, an error: rolled back
bun, a panic: rolled back
bun, Goexit: rolled back
gorm, an error: rolled back
gorm, a panic: rolled back
gorm, Goexit: rolled back
bbolt, an error: rolled back
bbolt, a panic: rolled back
bbolt, Goexit: rolled back
goqu, an error: rolled back
goqu, a panic: rolled back
goqu, Goexit: committed
zombiezen, an error: rolled back
zombiezen, a panic: rolled back
zombiezen, Goexit: committed
buntdb, an error: rolled back
buntdb, a panic: committed
buntdb, Goexit: committed
EOF2
echo "as it was seen"
