package files_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/asynciotest"
	"github.com/go-greenlet/greenlet/asyncio/files"
	"github.com/stretchr/testify/require"
)

// A sync that is given up ends in its thread, and closes what it has opened.
func TestSyncIsCancelled(t *testing.T) {
	asynciotest.Run(t, func(ctx context.Context) {
		folder := t.TempDir()
		disk, err := files.OpenDir(folder)
		require.NoError(t, err)
		f, err := disk.Create("a")
		require.NoError(t, err)
		for _, sync := range []func(context.Context) error{f.Sync, func(ctx context.Context) error { return disk.SyncDir(ctx, ".") }} {
			x := asyncio.Go(ctx, sync)
			require.NoError(t, asyncio.Sleep(ctx, 0))
			x.Cancel()
			if _, err := x.Await(ctx); err != nil { // else it was done already
				require.ErrorIs(t, err, asyncio.ErrCancelled)
			}
		}
		require.NoError(t, f.Close())
		require.NoError(t, disk.Close())
		_, err = disk.Open("a")
		require.ErrorIs(t, err, fs.ErrClosed)
	})
	_, err := files.OpenDir(filepath.Join(t.TempDir(), "none"))
	require.ErrorIs(t, err, fs.ErrNotExist)
}

// Nothing outside the folder is reached through links.
func TestLinksLeadNowhere(t *testing.T) {
	folder, outside := t.TempDir(), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(outside, "secret"), []byte("x"), 0o600))
	if err := os.Symlink(outside, filepath.Join(folder, "link")); err != nil {
		t.Skip(err)
	}
	disk, err := files.OpenDir(folder)
	require.NoError(t, err)
	defer disk.Close()
	_, err = disk.Open("link/secret")
	require.Error(t, err)
	require.Error(t, disk.Remove("link/secret"))
	require.Error(t, disk.Rename("link/secret", "mine"))
	_, err = disk.ReadDir("link")
	require.Error(t, err)
	require.FileExists(t, filepath.Join(outside, "secret"))
}
