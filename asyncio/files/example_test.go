package files_test

import (
	"context"
	"fmt"
	"os"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/files"
)

// replace gives a file another content: after a crash it has the former or the new
// one, whole.
func replace(ctx context.Context, disk files.Disk, name, content string) error {
	f, err := disk.Create(name + ".new")
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte(content), 0); err != nil {
		return err
	}
	if err := f.Sync(ctx); err != nil {
		return err
	}
	if err := disk.Rename(name+".new", name); err != nil {
		return err
	}
	return disk.SyncDir(ctx, ".")
}

func ExampleDisk() {
	folder, _ := os.MkdirTemp("", "")
	defer os.RemoveAll(folder)
	disk, err := files.OpenDir(folder) // in a test: simnet.NewDisk
	if err != nil {
		fmt.Println(err)
		return
	}
	defer disk.Close()
	err = asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		for _, content := range []string{"the first", "the second"} {
			if err := replace(ctx, disk, "state", content); err != nil {
				return err
			}
		}
		return nil
	})
	names, _ := disk.ReadDir(".")
	content, _ := os.ReadFile(folder + "/state")
	fmt.Printf("%v: %q, %v\n", names, content, err)
	// Output: [state]: "the second", <nil>
}
