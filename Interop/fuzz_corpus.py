#!/usr/bin/env python3
"""Makes the seeds of the fuzz targets out of golden messages: fuzz_corpus.py OUTPUT GOLDEN_FOLDER...

A golden message is a JSON file with the payload of its content header frame and its body, as real Celery sent them.
OUTPUT gets a folder for each target. Needs nothing but Python.
"""

import base64
import hashlib
import json
import pathlib
import struct
import sys

# Longer ones would be cut by the fuzzer, which makes them something else.
GREATEST_SEED = 16384
DATES = (
    "2026-11-21T04:13:29.230322+00:00",
    "2026-11-21T04:13:29",
    "2026-W47-6T04:13+05:30",
    "20261121T041329.5Z",
    "0001-01-01T00:00:00-23:59:59.999999",
    "9999-12-31T24:00",
    "04:13:29.230322+01:00",
    "-3.140E-7",
    "sNaN123",
    "urn:uuid:217861f5-612a-4401-8879-2cd833d43f74",
    "aGVsbG8=",
)
URLS = (
    "amqp://guest:guest@localhost:5672//",
    "amqps://user:CANARY@[::1]:5671/%2Fv?heartbeat=10&ssl_ca_certs=/ca.pem&ssl_cert_reqs=CERT_NONE",
    "pyamqp://u%40x:CANARY%25@h/v;amqp://b/?connect_timeout=2.5&frame_max=8192&channel_max=10",
    "librabbitmqs://h?login_method=EXTERNAL&ssl_certfile=c&ssl_keyfile=k",
    "user:CANARY@host/vhost",
    "localhost",
)
VALUES = (
    b'{"int": 1, "small": -8, "unsigned": 5, "double": 0.5, "float": 1e3, "text": "CANARY", "flag": true, "nested": [{}],'
    b' "list": [null, NaN, -Infinity], "map": {"a": 1}, "decimal": {"__type__": "decimal", "__value__": "3.140"},'
    b' "date": {"__type__": "datetime", "__value__": "2026-11-21T04:13:29+00:00"},'
    b' "id": {"__type__": "uuid", "__value__": {"hex": "217861f5612a440188792cd833d43f74"}},'
    b' "data": {"__type__": "base64", "__value__": "/w=="}}',
    b'["\\u00e9\\ud83d\\ude00\\n", 123456789012345678901234567890, 1.7976931348623157e308, 5e-324, -0.0]',
)


def frame(kind: int, channel: int, payload: bytes) -> bytes:
    return struct.pack(">BHI", kind, channel, len(payload)) + payload + b"\xce"


def method(channel: int, number: tuple[int, int], arguments: bytes = b"") -> bytes:
    return frame(1, channel, struct.pack(">HH", *number) + arguments)


def short(text: str) -> bytes:
    return bytes([len(text)]) + text.encode()


def long(text: str) -> bytes:
    return struct.pack(">I", len(text)) + text.encode()


def content(channel: int, header: bytes, body: bytes) -> bytes:
    """The frames behind a method that announces a message; the header's size is made that of the body."""
    header = header[:4] + struct.pack(">Q", len(body)) + header[12:]
    return frame(2, channel, header) + (frame(3, channel, body) if body else b"")


def small_frames():
    """Everything but messages that a broker sends."""
    closing = struct.pack(">H", 404) + short("NOT_FOUND") + struct.pack(">HH", 50, 10)
    yield method(0, (10, 50), closing)
    yield method(0, (10, 51))
    yield method(0, (10, 60), short("low on memory")) + method(0, (10, 61))
    yield method(1, (20, 11), long("")) + method(1, (85, 11)) + method(1, (60, 21), short("tag"))
    yield method(1, (20, 20), b"\x01") + method(1, (20, 20), b"\x00")
    yield method(1, (20, 40), closing)
    yield method(1, (50, 11), short("queue") + struct.pack(">II", 3, 1))
    yield method(1, (60, 80), struct.pack(">QB", 3, 1)) + method(1, (60, 120), struct.pack(">QB", 4, 0))
    yield method(1, (60, 30), short("tag") + b"\x01")
    yield method(1, (60, 72), short(""))
    yield frame(8, 0, b"")


def announcements(route: dict):
    """The methods that announce a message: a delivery, the answer to a get, and a return."""
    exchange, key = short(route["exchange"][:255]), short(route["routing_key"][:255])
    yield method(1, (60, 60), short("tag") + struct.pack(">QB", 1, 0) + exchange + key)
    yield method(2, (60, 71), struct.pack(">QB", 1, 1) + exchange + key + struct.pack(">I", 0))
    yield method(3, (60, 50), struct.pack(">H", 312) + short("NO_ROUTE") + exchange + key)


def headers_of(frame_payload: bytes) -> bytes | None:
    """The bytes of the header table in the payload of a content header frame, without their length."""
    flags = int.from_bytes(frame_payload[12:14], "big")
    if not flags & 0x2000:
        return None
    at = 14
    for flag in (0x8000, 0x4000):
        if flags & flag:
            at += 1 + frame_payload[at]
    length = int.from_bytes(frame_payload[at : at + 4], "big")
    return frame_payload[at + 4 : at + 4 + length]


def signatures(value):
    """All signatures in a body."""
    if isinstance(value, dict):
        if "task" in value and "args" in value:
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for element in value:
            yield from signatures(element)


def seeds_of(message: dict):
    """Pairs of a target and a seed."""
    header = bytes.fromhex(message.get("header_frame_hex") or "")
    body = base64.b64decode(message.get("body_base64") or "")
    if not header:
        return
    yield "task-message", struct.pack(">H", len(header)) + header + body
    for announcement in announcements(message):
        yield "frames", b"\x40" + announcement + content(announcement[2], header, body)
    table = headers_of(header)
    if table is not None:
        yield "field-table", b"\x00" + table
    try:
        decoded = json.loads(body)
    except ValueError:
        return
    yield "json", body
    if isinstance(decoded, dict):
        yield "result-message", body
        if "task" in decoded:
            yield "task-message", b"\x00\x00" + body
    for signature in signatures(decoded):
        yield "signature", json.dumps(signature).encode()


def seeds(folders):
    for small in small_frames():
        yield "frames", b"\x03" + small
    for value in VALUES:
        yield "json", value
    for date in DATES:
        yield "wire-date", date.encode()
    for url in URLS:
        yield "url", url.encode()
    # A value of every type, made of the seed by the target.
    yield "field-table", b"\x01" + b"".join(bytes([kind, 1, 0x61 + kind]) + b"\x01\x02\x03\x04\x05\x06\x07\x08" for kind in range(19))
    yield "task-message", b'\x00\x00{"task": "t", "id": "i", "args": [1], "kwargs": {"a": "CANARY"}, "retries": 0, "eta": null, "utc": true}'
    for folder in folders:
        for path in sorted(folder.glob("**/*.json")):
            message = json.loads(path.read_text())
            if isinstance(message, dict):
                yield from seeds_of(message)


def main() -> int:
    output, *folders = (pathlib.Path(argument) for argument in sys.argv[1:])
    count = 0
    for target, seed in seeds(folders):
        if len(seed) > GREATEST_SEED:
            continue
        folder = output / target
        folder.mkdir(parents=True, exist_ok=True)
        (folder / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
        count += 1
    print(count, "seeds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
