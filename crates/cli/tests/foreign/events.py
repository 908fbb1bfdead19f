"""A server of server-sent events on the HTTP server that Python brings: chunks, ids, comments, `Last-Event-ID`.

Events have ids and are sent again behind the one that the client names. Connections end in the middle of an event, of a
chunk, or in order. Usage: events.py PORT LOG SEED TOTAL; prints its port.
"""

import http.server
import json
import random
import sys
import threading
import time

from log import Log

PORT, PATH, SEED, TOTAL = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])

LOG = Log(PATH)
DICE = random.Random(SEED + len(LOG.entries))
EVENTS = [entry for entry in LOG.entries if entry["what"] == "event"]
GREW = threading.Condition()


def produce():
    while len(EVENTS) < TOTAL:
        number = len(EVENTS)
        body = {"run_id": "r%d" % (number % 3), "node": "n", "phase": "start", "number": number, "text": "é" * (number % 50)}
        with GREW:
            LOG.add(what="event", number=number, body=body)
            EVENTS.append({"number": number, "body": body})
            GREW.notify_all()
        time.sleep(0.001)


def written(number):
    """The same event in the forms that the standard allows."""
    event = EVENTS[number]
    data, end = json.dumps(event["body"], indent=1 if number % 5 == 0 else None), ["\n", "\r\n"][number % 2]
    lines = ["id: id-%d" % number, *("data: " + line for line in data.split("\n"))]
    if number % 7 == 0:
        lines.insert(0, ": still here")
    return (end.join(lines) + end * 2).encode()


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def chunk(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def do_GET(self):
        asked = self.headers.get("Last-Event-ID")
        with GREW:
            LOG.add(what="asked", id=asked)
            left = DICE.randrange(1, 60)
            way = DICE.randrange(3)
        next = 0 if asked is None else int(asked.removeprefix("id-")) + 1
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            while True:
                with GREW:
                    GREW.wait_for(lambda: next < len(EVENTS), timeout=5)
                if next == len(EVENTS):
                    self.chunk(b": nothing new\n\n")
                    continue
                data = written(next)
                if left == 0 and way == 0:
                    # A whole chunk that ends within an event, then the end of the answer.
                    self.chunk(data[: len(data) // 2])
                    self.wfile.write(b"0\r\n\r\n")
                    return
                if left == 0 and way == 1:
                    # A chunk that is shorter than it says.
                    self.wfile.write(b"%x\r\n%s" % (len(data), data[: len(data) // 2]))
                    return
                if left == 0:
                    self.wfile.write(b"0\r\n\r\n")
                    return
                # An event in one chunk or in two.
                cut = len(data) // 3 if next % 4 == 0 else len(data)
                for part in filter(None, [data[:cut], data[cut:]]):
                    self.chunk(part)
                next += 1
                left -= 1
        except OSError:
            pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Answer)
server.daemon_threads = True
threading.Thread(target=produce, daemon=True).start()
print(server.server_address[1], flush=True)
server.serve_forever()
