package gl110

import (
	"context"
	"database/sql"

	"github.com/go-greenlet/greenlet/asyncio"
)

// Not known to be a limit, or not on a loop.
func perhaps(ctx context.Context, db *sql.DB, limit int) error {
	db.SetMaxOpenConns(limit)
	return asyncio.Sleep(ctx, 0)
}

func goroutines(db *sql.DB) { db.SetMaxOpenConns(4) }
