package gl110

import (
	"context"
	"database/sql"

	"github.com/go-greenlet/greenlet/asyncio"
)

func open(ctx context.Context, url string) (*sql.DB, error) {
	db, err := sql.Open("postgres", url)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(4) // want `GL110: who asks for more connections than that blocks the loop: use SetMaxOpenConns\(0\), and an asyncio.Pool or Semaphore in front`
	return db, asyncio.Sleep(ctx, 0)
}
