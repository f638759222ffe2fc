"""The fault proxy by itself, before an echo server."""
import contextlib
import json
import pathlib
import socket
import struct
import subprocess
import sys
import threading
import time

import pytest

from proxy import Framer, Proxy

PATIENCE = 10
HEARTBEAT = bytes([8, 0, 0, 0, 0, 0, 0, 0xCE])


def frame(payload, kind=1, channel=1):
    return struct.pack(">BHI", kind, channel, len(payload)) + payload + b"\xce"


class Echo:
    """A server that sends back what it gets."""

    def __init__(self):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.server.accept()
                threading.Thread(target=self._echo, args=(client,), daemon=True).start()

    @staticmethod
    def _echo(client):
        with client, contextlib.suppress(OSError):
            while data := client.recv(65536):
                client.sendall(data)

    def close(self):
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()


@pytest.fixture
def echo():
    echo = Echo()
    yield echo
    with contextlib.suppress(OSError):
        echo.close()


@pytest.fixture
def proxy(echo):
    with Proxy("127.0.0.1", echo.port) as proxy:
        yield proxy


@pytest.fixture
def connect(proxy):
    opened = []

    def connect():
        client = socket.create_connection((proxy.host, proxy.port), timeout=PATIENCE)
        opened.append(client)
        eventually(lambda: proxy.accepted >= len(opened))
        return client

    yield connect
    for client in opened:
        client.close()


def eventually(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def receive(client, count):
    data = b""
    while len(data) < count:
        part = client.recv(count - len(data))
        assert part, f"the connection ended after {data!r}"
        data += part
    return data


def is_silent(client, seconds=0.3):
    client.settimeout(seconds)
    try:
        client.recv(1)
        return False
    except TimeoutError:
        return True
    finally:
        client.settimeout(PATIENCE)


def answers(client, payload=b"still there"):
    client.sendall(frame(payload))
    return receive(client, len(frame(payload))) == frame(payload)


def test_passes_everything_on(connect):
    client = connect()
    data = b"".join(frame(bytes([number % 256]) * number) for number in range(2000))
    sender = threading.Thread(target=client.sendall, args=(data,))
    sender.start()
    assert receive(client, len(data)) == data
    sender.join()


def test_the_end_of_a_client_reaches_the_broker(proxy, connect):
    client = connect()
    assert answers(client)
    client.shutdown(socket.SHUT_WR)
    assert client.recv(1) == b""
    eventually(lambda: proxy.connections() == [])
    assert proxy.info(1)["closed_by"] == "client"


def test_no_broker(proxy, echo, connect):
    echo.close()
    with pytest.raises(ConnectionResetError):
        connect().recv(1)  # the connection itself may fail already
    eventually(lambda: proxy.accepted == 1)
    assert proxy.info(1)["closed_by"] == "broker"


def test_cut_by_rst_and_fin(proxy, connect):
    clients = [connect(), connect(), connect()]
    assert all(answers(client) for client in clients)
    proxy.cut(1, how="rst")
    with pytest.raises(ConnectionResetError):
        clients[0].recv(1)
    proxy.cut("first", how="fin")
    assert clients[1].recv(1) == b""
    assert answers(clients[2])
    eventually(lambda: proxy.connections() == [3])
    assert proxy.info(1)["closed_by"] == "proxy"


@pytest.mark.parametrize("direction", ["both", "to-broker", "from-broker"])
def test_stall_and_resume(proxy, connect, direction):
    client = connect()
    assert answers(client)
    proxy.stall(direction=direction)
    client.sendall(frame(b"held") * 1000)
    assert is_silent(client)
    before = proxy.info(1)["to_broker"]
    assert (before > 100) == (direction == "from-broker")
    proxy.resume()
    assert receive(client, 12_000) == frame(b"held") * 1000


def test_stall_accepts_what_the_client_sends(proxy, connect):
    client = connect()
    proxy.stall(direction="to-broker")
    client.sendall(bytes(32 << 20))


def test_unread_stall_fills_the_buffers(proxy, connect):
    client = connect()
    assert answers(client)
    proxy.stall(unread=True)
    client.settimeout(0.5)
    with pytest.raises(TimeoutError):
        client.sendall(bytes(64 << 20))


def test_stall_of_new_connections_only(proxy, connect):
    old = connect()
    assert answers(old)
    proxy.stall("new")
    new = connect()
    new.sendall(b"x")
    assert is_silent(new) and answers(old)
    proxy.calm()
    assert receive(new, 1) == b"x"


def test_a_client_that_gives_up_a_stalled_connection_is_noted(proxy, connect):
    client = connect()
    assert answers(client)
    proxy.stall()
    client.close()
    eventually(lambda: proxy.info(1)["closed_by"] == "client")
    assert proxy.connections() == [1]
    proxy.resume()
    eventually(lambda: proxy.connections() == [])


def test_delay_keeps_the_order(proxy, connect):
    client = connect()
    proxy.delay(0.3, direction="to-broker")
    started = time.monotonic()
    for number in range(10):
        client.sendall(frame(bytes([number])))
    data = receive(client, 90)
    assert time.monotonic() - started >= 0.3
    assert data == b"".join(frame(bytes([number])) for number in range(10))
    proxy.delay(0)
    assert answers(client)


def test_drip(proxy, connect):
    client = connect()
    proxy.drip(2000, direction="from-broker")
    started = time.monotonic()
    assert answers(client, bytes(1000))
    assert time.monotonic() - started >= 0.4
    proxy.drip(0)
    assert answers(client, bytes(1 << 20))


@pytest.mark.parametrize(("place", "position"), [("type", 0), ("size", 3), ("end", -1), ("payload", 11)])
@pytest.mark.parametrize("direction", ["to-broker", "from-broker", "both"])
def test_corrupts_one_byte(proxy, connect, place, position, direction):
    client = connect()
    assert answers(client)
    proxy.corrupt(direction=direction, place=place)
    assert proxy.armed() == [1]
    sent = frame(b"payload")
    client.sendall(sent)
    got = receive(client, len(sent))
    changed = [index for index in range(len(sent)) if got[index] != sent[index]]
    assert changed == [position % len(sent)]
    assert proxy.armed() == []


@pytest.mark.parametrize("how", ["rst", "fin"])
def test_cut_in_the_middle_of_a_frame(proxy, connect, how):
    client = connect()
    assert answers(client)
    proxy.cut_mid_frame(direction="from-broker", how=how)
    client.sendall(frame(bytes(92)))
    got = b""
    with contextlib.suppress(ConnectionResetError):
        while part := client.recv(1000):
            got += part
        assert how == "fin"
    assert got == frame(bytes(92))[:50] or (how == "rst" and got == b"")
    eventually(lambda: proxy.connections() == [])


def test_refuse_and_accept(proxy, connect):
    old = connect()
    port = proxy.port
    proxy.refuse()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((proxy.host, port))
    assert answers(old)
    proxy.accept()
    assert proxy.port == port and answers(connect())


class TestFramer:
    STREAM = b"AMQP\0\0\x09\x01" + frame(b"one") + HEARTBEAT + frame(bytes(100)) + HEARTBEAT

    @pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 11, 50, 1000])
    def test_boundaries_of_any_chunks(self, size):
        framer = Framer()
        pieces = [piece for start in range(0, len(self.STREAM), size) for piece in framer.pieces(self.STREAM[start:start + size])]
        assert b"".join(data for data, _, _ in pieces) == self.STREAM
        frames, current = [], b""
        for data, _, last in pieces:
            current += data
            if last:
                frames.append(current)
                current = b""
        assert [len(each) for each in frames] == [8, 11, 8, 108, 8]

    def test_whole_headers_are_marked(self):
        assert [first for _, first, _ in Framer().pieces(self.STREAM)] == [True] * 5

    def test_records_of_tls(self):
        records = [b"\x16\x03\x01\x00\x05hello", b"\x17\x03\x03\x00\x03abc"]
        framer = Framer()
        pieces = list(framer.pieces(records[0] + records[1][:6])) + list(framer.pieces(records[1][6:]))
        assert pieces == [(records[0], True, True), (records[1][:6], True, False), (records[1][6:], False, True)]
        assert framer.is_tls


class Process:
    """The proxy as a process, as other languages use it."""

    def __init__(self, port):
        script = pathlib.Path(__file__).with_name("proxy.py")
        self.process = subprocess.Popen([sys.executable, script, "127.0.0.1", str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, line):
        print(line, file=self.process.stdin, flush=True)
        return self.process.stdout.readline().rstrip("\n")


@pytest.fixture
def process(echo):
    process = Process(echo.port)
    yield process
    process.process.stdin.close()
    assert process.process.wait(PATIENCE) == 0


def test_process(process, echo):
    ok, host, port = process("listen").split()
    assert ok == "ok"
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as client:
        assert answers(client)
        assert process("connections") == "ok 1"
        assert process("accepted") == "ok 1"
        assert json.loads(process("info #1").removeprefix("ok "))["from_broker"] == len(frame(b"still there"))
        assert process("stall from-broker #1") == "ok"
        client.sendall(b"x")
        assert is_silent(client)
        assert process("resume") == "ok"
        assert receive(client, 1) == b"x"
        for line in ("delay 1 new", "delay 0", "drip 100 new", "drip 0", "corrupt new type", "refuse", "accept", "calm", f"target 127.0.0.1 {echo.port}"):
            assert process(line) == "ok"
        assert process("corrupt #1 to-broker size") == "ok"
        assert process("armed") == "ok 1"
        assert process("cut-mid-frame #1 fin") == "ok"
        assert process("cut rst") == "ok"
        with pytest.raises(ConnectionResetError):
            client.recv(1)


@pytest.mark.parametrize("line", ["", "explode", "cut #9", "cut sideways", "delay", "delay soon", "drip -1", "stall rst", "target x", "info", "cut last"])
def test_process_answers_errors(process, line):
    assert process(line).startswith("error ")
    assert process("accepted") == "ok 0"
