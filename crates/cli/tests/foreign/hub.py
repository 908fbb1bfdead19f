"""An independent server of ghostlight.v1, written against docs/PROTOCOL.md only.

Writes TOTAL events to a few streams, leaves offsets out now and then and names them as a gap, and hangs up on its
clients at random, between frames and in the middle of one. Works with every release of `websockets` from 10 on.
Usage: hub.py PORT LOG SEED TOTAL TOKEN; prints its port.
"""

import asyncio
import json
import random
import sys

import websockets

from log import Log

PORT, PATH, SEED, TOTAL, TOKEN = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
STREAMS = ["run/a", "run/b", "run/c", "log/d"]
EPOCH = 1_795_255_200_000_000

LOG = Log(PATH)
DICE = random.Random(SEED + len(LOG.entries))
#: Of each stream its entries in order.
STREAM = {}


def take(entry):
    STREAM.setdefault(entry["stream"], []).append(entry)


def head(name):
    entries = STREAM.get(name)
    return 0 if not entries else entries[-1]["to"] + 1


async def produce(grew):
    written = sum(1 for entry in LOG.entries if entry["what"] == "event")
    while written < TOTAL:
        name = DICE.choice(STREAMS[: 1 + written * len(STREAMS) // TOTAL])
        offset = head(name)
        if DICE.random() < 0.05:
            entry = {"what": "gap", "stream": name, "from": offset, "to": offset + DICE.randrange(3)}
        else:
            body = '{"run_id": "%s",  "node":"n%d", "phase":"start", "text":"\\u00e9 %d %s"}' % (
                name[4:], offset % 5, written, "x" * DICE.randrange(400))
            entry = {"what": "event", "stream": name, "from": offset, "to": offset, "ts": EPOCH + written, "body": body}
            written += 1
        LOG.add(**entry)
        take(entry)
        async with grew:
            grew.notify_all()
        await asyncio.sleep(0.001)


class Hangup(Exception):
    pass


class Session:
    def __init__(self, socket, grew):
        self.socket, self.grew = socket, grew
        self.asked, self.pattern, self.id = {}, None, None
        #: By stream, the next offset to send.
        self.next = {}
        #: The test counts on no connection carrying more than this: however fast the machine, there are cuts.
        self.left = DICE.randrange(5, 100)

    async def send(self, text):
        self.left -= 1
        if self.left < 0:
            if DICE.random() < 0.5:
                # The head of a frame and half of what it says is in it.
                data = text.encode()
                size = bytes([0x7E]) + len(data).to_bytes(2, "big") if len(data) > 125 else bytes([len(data)])
                self.socket.transport.write(b"\x81" + size + data[: len(data) // 2])
            # Without a closing handshake.
            self.socket.transport.abort()
            raise Hangup
        await self.socket.send(text)

    async def tell(self, **frame):
        await self.send(json.dumps(frame))

    def takes(self, name):
        return name.startswith(self.pattern[:-1]) if self.pattern.endswith("*") else name == self.pattern

    async def follow(self):
        """What there is, then what comes."""
        first = True
        while True:
            for name in [name for name in list(STREAM) if self.takes(name)]:
                await self.catch_up(name)
            if first and self.pattern.endswith("*"):
                await self.tell(type="caught_up", id=self.id, stream=self.pattern, offset=0)
            elif first and self.pattern not in STREAM:
                await self.nothing_yet()
            first = False
            async with self.grew:
                if all(self.next.get(name) == head(name) for name in STREAM if self.takes(name)):
                    await self.grew.wait()

    async def nothing_yet(self):
        await self.tell(type="subscribed", id=self.id, stream=self.pattern, epoch=0, next_offset=0,
                        recovered=self.pattern not in self.asked)
        await self.tell(type="caught_up", id=self.id, stream=self.pattern, epoch=0, offset=0)

    async def catch_up(self, name):
        begun = name in self.next
        if not begun:
            place = self.asked.get(name)
            known = place is not None and place["epoch"] == EPOCH
            self.next[name] = place["offset"] if known else 0
            await self.tell(type="subscribed", id=self.id, stream=name, epoch=EPOCH, next_offset=head(name),
                            recovered=known or place is None)
        # There are more when this is done; they come in the next round.
        for entry in list(STREAM[name]):
            if entry["to"] < self.next[name]:
                continue
            if entry["what"] == "gap":
                await self.tell(type="gap", stream=name, epoch=EPOCH, reason="never written",
                                **{"from": entry["from"], "to": entry["to"]})
            else:
                await self.send('{"type":"event","stream":%s,"epoch":%d,"offset":%d,"ts":%d,"body":%s}' % (
                    json.dumps(name), EPOCH, entry["from"], entry["ts"], entry["body"]))
            self.next[name] = entry["to"] + 1
        if not begun:
            await self.tell(type="caught_up", id=self.id, stream=name, epoch=EPOCH, offset=self.next[name])


async def serve(socket, grew):
    session, following = Session(socket, grew), None
    try:
        async for text in socket:
            frame = json.loads(text)
            if frame["type"] == "hello":
                assert frame["version"] == 1, frame
                header = getattr(socket, "request_headers", None) or socket.request.headers
                if TOKEN not in (frame.get("token"), header.get("Authorization", "").removeprefix("Bearer ")):
                    await socket.send(json.dumps({"type": "error", "code": "unauthorized", "fatal": True}))
                    return
                LOG.add(what="connected")
                await session.tell(type="welcome", heartbeat_ms=30000, max_frame_bytes=1048576)
            elif frame["type"] == "ping":
                await session.tell(type="pong", nonce=frame["nonce"])
            elif frame["type"] == "subscribe":
                session.id, session.pattern = frame["id"], frame["stream"]
                session.asked.update(frame.get("positions", {}))
                if "from" in frame:
                    session.asked[session.pattern] = frame["from"]
                if not frame.get("more") and following is None:
                    if session.pattern.endswith("*"):
                        await session.tell(type="subscribed", id=session.id, stream=session.pattern, epoch=0,
                                           next_offset=0, recovered=True)
                    following = asyncio.ensure_future(session.follow())
                    following.add_done_callback(ended)
            else:
                await session.tell(type="error", code="unknown_type", message=frame["type"], fatal=False)
    except (Hangup, websockets.ConnectionClosed):
        pass
    finally:
        if following is not None:
            following.cancel()


def ended(following):
    """What is no end of a connection is a fault of this program, and is shown."""
    if not following.cancelled() and not isinstance(following.exception(), (Hangup, websockets.ConnectionClosed)):
        sys.excepthook(type(following.exception()), following.exception(), None)


async def main():
    for entry in LOG.entries:
        if "stream" in entry:
            take(entry)
    grew = asyncio.Condition()
    served = await websockets.serve(lambda socket, *_: serve(socket, grew), "127.0.0.1", PORT,
                                    subprotocols=["ghostlight.v1"], compression=None)
    print(served.sockets[0].getsockname()[1], flush=True)
    await produce(grew)
    await asyncio.Future()


asyncio.run(main())
