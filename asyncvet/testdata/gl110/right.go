package gl110

import (
	"context"
	"database/sql"

	"github.com/go-greenlet/greenlet/asyncio"
)

type database struct {
	*sql.DB
	users *asyncio.Semaphore
}

func openWithSemaphore(ctx context.Context, url string) (*database, error) {
	db, err := sql.Open("postgres", url)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(0)
	return &database{db, asyncio.NewSemaphore(4)}, asyncio.Sleep(ctx, 0)
}
