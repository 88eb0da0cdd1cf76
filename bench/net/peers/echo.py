"""The peers in Python: asyncio and uvloop.

echo.py asyncio|uvloop protocol|streams    serves TCP echo and prints "ready HOST:PORT"
echo.py asyncio|uvloop spawn SECONDS       starts `true` and waits for it, over and over
"""

import asyncio
import json
import resource
import socket
import sys
import time

CHUNK = 64 * 1024


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data):
        self.transport.write(data)


async def converse(reader, writer):
    writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def serve(face):
    loop = asyncio.get_running_loop()
    if face == "protocol":
        server = await loop.create_server(Echo, "127.0.0.1", 0, backlog=1024)
    else:
        server = await asyncio.start_server(converse, "127.0.0.1", 0, backlog=1024)
    print("ready %s:%d" % server.sockets[0].getsockname(), flush=True)
    await server.serve_forever()


async def spawn(seconds):
    async def one():
        child = await asyncio.create_subprocess_exec("true")
        if await child.wait() != 0:
            raise SystemExit("true has failed")

    await one()
    count, begin = 0, time.perf_counter()
    while (gone := time.perf_counter() - begin) < seconds:
        await one()
        count += 1
    print(json.dumps({"count": count, "seconds": gone}))


def main():
    library, face = sys.argv[1:3]
    if library == "uvloop":
        import uvloop

        uvloop.install()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    asyncio.run(spawn(float(sys.argv[3])) if face == "spawn" else serve(face))


main()
