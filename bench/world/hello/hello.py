# The same by aiohttp, on uvloop.
import asyncio
import socket

import uvloop
from aiohttp import web


async def hello(request):
    return web.Response(text="Hello, world")


async def main():
    app = web.Application()
    app.router.add_get("/", hello)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    await web.SockSite(runner, sock).start()
    print("ready %s:%d" % sock.getsockname(), flush=True)
    await asyncio.Event().wait()


uvloop.install()
asyncio.run(main())
