#!/usr/bin/env bash
# A statement inside a transaction of database/sql runs into the timeout of its own
# context. The transaction's context has none. Then the program goes on with the
# transaction, and rolls it back.
#
# 1 is inserted, then a slow insert times out, then 2 is inserted; then Rollback.
#
# Guess: nothing is left. Either the transaction goes on without the slow statement, as
# after any failed one, or all further calls of it fail; Rollback ends both.
# Seen: with modernc.org/sqlite v1.62.0 and ncruces/go-sqlite3 v0.37.0 the second insert
# succeeds, Rollback fails ("no transaction is active"), and 2 is left in the table,
# committed. The timeout interrupts SQLite, which rolls back by itself if what it
# interrupts is a write; database/sql does not hear of that, and what the Tx is asked
# for afterwards is committed one by one.
# So with SQLite a timeout, or a cancel, of one statement is the end of the transaction:
# call Rollback, and nothing else. A timeout belongs to the context of BeginTx.
#
# Needs Go and the module proxy; building it takes minutes.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >go.mod <<'EOF2'
module timeout

go 1.26.0

require (
	github.com/ncruces/go-sqlite3 v0.37.0
	modernc.org/sqlite v1.62.0
)
EOF2
cat >main.go <<'EOF2'
package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"strings"
	"time"

	_ "github.com/ncruces/go-sqlite3/driver"
	_ "modernc.org/sqlite"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// slow looks at numbers for minutes, and finds none to insert.
const slow = `insert into t
	with recursive c(n) as (select 1 union all select n + 1 from c where n < 1000000000)
	select n from c where n < 0`

func try(driver string) {
	db, err := sql.Open(driver, "file:"+driver+".db")
	must(err)
	defer db.Close()
	_, err = db.Exec("create table t (n integer)")
	must(err)
	tx, err := db.Begin()
	must(err)
	_, err = tx.Exec("insert into t values (1)")
	must(err)
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	_, first := tx.ExecContext(ctx, slow)
	fmt.Fprintf(os.Stderr, "%s: the slow insert: %v\n", driver, first)
	_, second := tx.Exec("insert into t values (2)")
	rollback := tx.Rollback()
	fmt.Fprintf(os.Stderr, "%s: Rollback: %v\n", driver, rollback)
	rows, err := db.Query("select n from t")
	must(err)
	defer rows.Close()
	var left []int
	for rows.Next() {
		var n int
		must(rows.Scan(&n))
		left = append(left, n)
	}
	must(rows.Err())
	fmt.Printf("%s: the slow insert fails: %v, the next one: %v, Rollback has no transaction: %v, left: %v\n", driver,
		first != nil, second, strings.Contains(fmt.Sprint(rollback), "no transaction is active"), left)
}

func main() {
	try("sqlite")  // modernc's
	try("sqlite3") // ncruces'
}
EOF2
go mod tidy >/dev/null 2>&1
go run . | tee seen
diff seen - <<'EOF2'
sqlite: the slow insert fails: true, the next one: <nil>, Rollback has no transaction: true, left: [2]
sqlite3: the slow insert fails: true, the next one: <nil>, Rollback has no transaction: true, left: [2]
EOF2
echo "as it was seen"
