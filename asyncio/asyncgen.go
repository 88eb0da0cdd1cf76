package asyncio

type generators struct{}
