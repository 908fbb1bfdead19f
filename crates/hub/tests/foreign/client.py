"""An independent client of ghostlight.v1, written against docs/PROTOCOL.md only.

Publishes 200 events over one connection while another follows and is cut again and again; prints what it got.
Works with every release of `websockets` from 10 on. Usage: client.py ws://127.0.0.1:PORT/v1 TOKEN
"""

import asyncio
import json
import sys

import websockets

URL, TOKEN = sys.argv[1], sys.argv[2]
STREAM, TOTAL = "run/foreign", 200
LIMIT_S = 20


async def opened():
    socket = await websockets.connect(URL, subprotocols=["ghostlight.v1"], open_timeout=LIMIT_S)
    assert socket.subprotocol == "ghostlight.v1", socket.subprotocol
    await send(socket, type="hello", version=1, token=TOKEN, client="foreign")
    assert (await take(socket))["type"] == "welcome"
    return socket


async def send(socket, **frame):
    await socket.send(json.dumps(frame))


async def take(socket):
    while True:
        frame = json.loads(await asyncio.wait_for(socket.recv(), LIMIT_S))
        if frame["type"] != "ping":
            return frame
        await send(socket, type="pong", nonce=frame["nonce"])


async def publish():
    """Every key twice, so that the server has something to recognise."""
    socket = await opened()
    for number in range(TOTAL):
        for duplicate in (False, True):
            await send(socket, type="publish", key=f"key {number}", stream=STREAM, body={"number": number})
            answer = await take(socket)
            assert answer["type"] == "accepted" and answer["duplicate"] is duplicate, answer
    await socket.close()


async def follow(cut_every):
    place, got = None, []
    while len(got) < TOTAL:
        socket = await opened()
        wanted = {"from": place} if place else {}
        await send(socket, type="subscribe", id="f", stream=STREAM, **wanted)
        taken = 0
        while len(got) < TOTAL and taken < cut_every:
            frame = await take(socket)
            if frame["type"] == "subscribed":
                assert frame["recovered"] or frame["epoch"] == 0, frame
            elif frame["type"] == "event":
                expected = place["offset"] if place else 0
                assert frame["offset"] == expected, (frame, place)
                place = {"epoch": frame["epoch"], "offset": frame["offset"] + 1}
                got.append(frame["body"]["number"])
                taken += 1
        # Without a closing handshake.
        socket.transport.abort()
    return got


async def main():
    publisher = asyncio.ensure_future(publish())
    first = await follow(cut_every=17)
    await publisher
    second = await follow(cut_every=TOTAL)
    assert first == list(range(TOTAL)), first
    assert first == second, second
    print(f"{len(first)} events, twice the same")


asyncio.run(main())
