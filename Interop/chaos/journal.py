"""Journals: files of lines `TIME WORD LABEL…` that the processes of a chaos run append to."""
import pathlib
import time


class Writer:
    """Adds lines; used by one process."""

    def __init__(self, path):
        self.file = open(path, "a", buffering=1, encoding="utf-8")

    def __call__(self, *words):
        self.file.write(" ".join([f"{time.time():.6f}", *map(str, words)]).replace("\n", " ") + "\n")


class Reader:
    """Follows a journal as it grows."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.position = 0
        self.rest = b""

    def entries(self):
        """What has come since the last call: (time, words)."""
        if not self.path.exists():
            return []
        with open(self.path, "rb") as file:
            file.seek(self.position)
            data = file.read()
        self.position += len(data)
        *lines, self.rest = (self.rest + data).split(b"\n")
        return [parse(line.decode(errors="replace")) for line in lines if line]


def parse(line):
    stamp, *words = line.split(" ")
    return float(stamp), words
