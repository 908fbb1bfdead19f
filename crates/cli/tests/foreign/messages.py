"""A server of plain workflow events, or of typed messages: no offsets, no protocol, only what it has to say.

Each body names its connection and its place in it. Half of the connections end with a closing handshake, the others in
the middle of a frame. Before some of its messages the server asks whether the client is there, and waits for the answer.
Works with every release of `websockets` from 10 on. Usage: messages.py PORT LOG SEED CONNECTIONS workflow|typed
"""

import asyncio
import json
import random
import sys

import websockets

from log import Log

PORT, PATH, SEED, CONNECTIONS, KIND = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
LIMIT_S = 20

LOG = Log(PATH)
DICE = random.Random(SEED + len(LOG.entries))


def event(connection, number, last):
    if KIND == "typed":
        data = {"connection": connection, "number": number, "last": last}
        return {"type": DICE.choice(["job:recommendation", "notification:new"]), "data": data}
    return {"run_id": "r%d" % (number % 3), "node": "n", "phase": "start",
            "connection": connection, "number": number, "last": last}


async def ask(socket, connection):
    """By the protocol of WebSockets, or by a message as such systems do."""
    if KIND == "workflow":
        await asyncio.wait_for(await socket.ping(), LIMIT_S)
    else:
        nonce = {"nonce": DICE.randrange(1 << 30)}
        await socket.send(json.dumps({"type": "ping", "data": nonce}))
        answer = json.loads(await asyncio.wait_for(socket.recv(), LIMIT_S))
        assert answer == {"type": "pong", "data": nonce}, answer
    LOG.add(what="answered", connection=connection)


async def serve(socket):
    connection = sum(1 for entry in LOG.entries if entry["what"] == "connected")
    LOG.add(what="connected", connection=connection)
    is_last, is_clean = connection + 1 >= CONNECTIONS, connection % 2 == 0
    count = DICE.randrange(5, 60)
    try:
        for number in range(count):
            if number > 0 and DICE.random() < 0.1:
                await ask(socket, connection)
            body = event(connection, number, is_last and number + 1 == count)
            LOG.add(what="event", connection=connection, number=number)
            text = json.dumps(body)
            if not is_clean and not is_last and number + 1 == count:
                data = text.encode()
                size = bytes([0x7E]) + len(data).to_bytes(2, "big") if len(data) > 125 else bytes([len(data)])
                socket.transport.write(b"\x81" + size + data[: len(data) // 2])
                socket.transport.abort()
                return
            await socket.send(text)
            await asyncio.sleep(0.001)
        if is_last:
            await socket.wait_closed()
        else:
            await socket.close()
            LOG.add(what="closed", connection=connection)
    except websockets.ConnectionClosed:
        pass


async def main():
    served = await websockets.serve(lambda socket, *_: serve(socket), "127.0.0.1", PORT, compression=None)
    print(served.sockets[0].getsockname()[1], flush=True)
    await asyncio.Future()


asyncio.run(main())
