"""The log that a foreign server keeps: a file of JSON lines, each written before anybody is told of it.

So it outlives a kill -9 of the server, and the test compares a client's log with it.
"""

import json
import os


class Log:
    def __init__(self, path):
        self.entries = []
        if os.path.exists(path):
            with open(path, encoding="utf-8", newline="\n") as file:
                text = file.read()
            # A line that a kill tore was told to nobody.
            whole = text[: text.rfind("\n") + 1]
            if whole != text:
                os.truncate(path, len(whole.encode()))
            self.entries = [json.loads(line) for line in whole.splitlines()]
        self.file = open(path, "ab", buffering=0)

    def add(self, **entry):
        self.file.write((json.dumps(entry) + "\n").encode())
        self.entries.append(entry)
