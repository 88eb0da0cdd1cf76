package ignore

import (
	"context"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

func naps(ctx context.Context, ch chan int) error {
	time.Sleep(1) //asyncvet:ignore GL101 a nanosecond
	//asyncvet:ignore GL101,GL102 it is there already, and a nanosecond
	time.Sleep(1)
	<-ch // want "GL102"
	//asyncvet:ignore GL102 the wrong rule // want `asyncvet:ignore: GL102 finds nothing here`
	time.Sleep(1) // want "GL101"
	time.Sleep(1) //asyncvet:ignore GL101 // want `asyncvet:ignore: give a reason after the rule`
	time.Sleep(1) // want "GL101"
	//asyncvet:ignore GL999 what is that? // want `asyncvet:ignore: there is no rule GL999`
	_ = asyncio.Sleep(ctx, 1) //asyncvet:ignore GL101 nothing to see // want `asyncvet:ignore: GL101 finds nothing here`
	asyncio.Sleep(ctx, 1)     //asyncvet:ignore GL201 found with -strict only
	return asyncio.Sleep(ctx, 1)
}
