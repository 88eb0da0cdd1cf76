package asyncio

type executors struct{}

func (e *executors) close() {}
