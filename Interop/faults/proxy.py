#!/usr/bin/env python3
"""A TCP proxy before a broker that does what networks do: it cuts connections, stalls, delays and drips them, and corrupts bytes.

As a library (its loop runs in a thread of its own, every method may be called from any thread):

    with Proxy("127.0.0.1", 5672) as proxy:
        connect_to(proxy.host, proxy.port)
        proxy.stall()
        proxy.cut("last", how="rst")

As a process, `proxy.py BROKER_HOST BROKER_PORT`, driven by one command a line on standard input; each is answered by one line,
`ok …` or `error …`. It ends with its input. WHICH, DIRECTION and the other words may be left out, and come in any order.

    listen [PORT]                            opens the port (0 or none: a free one);                       ok HOST PORT
    target HOST PORT                         where further connections go
    refuse                                   closes the port: whoever connects is refused
    accept                                   opens it again
    connections                              the numbers of the open connections, oldest first;            ok NUMBER…
    accepted                                 how many connections there have been;                         ok COUNT
    info [#NUMBER]                           what is known of a connection, now or ever, else of the newest; ok JSON
    cut [WHICH] [rst|fin]                    ends connections on both sides
    stall [WHICH] [DIRECTION] [unread]       passes nothing on; goes on reading, or with `unread` not even that
    resume [WHICH] [DIRECTION]               passes on what was held, as TCP does after a gap in the network
    delay MILLISECONDS [WHICH] [DIRECTION]   passes everything on so much later; 0 ends it
    drip BYTES [WHICH] [DIRECTION]           passes on so many bytes a second; 0 ends it
    corrupt [WHICH] [DIRECTION] [PLACE]      changes one byte of the next frame
    cut-mid-frame [WHICH] [DIRECTION] [rst|fin]   passes on half of the next frame and cuts the connection
    armed                                    connections whose corrupt or cut-mid-frame waits for a frame; ok NUMBER…
    calm                                     no fault any more: resumes, no delay, no drip, nothing armed, port open
    quit

    WHICH      all (the default: open connections, and for stall, delay and drip those to come), open, new, first, last, #NUMBER
    DIRECTION  both (the default), to-broker, from-broker; corrupt and cut-mid-frame take the first frame that comes in either
    PLACE      end (the default: the end octet of the frame), type, size, payload

Frames are AMQP's, or TLS records where the connection speaks TLS.
"""
import asyncio
import collections
import contextlib
import dataclasses
import json
import socket
import struct
import sys
import threading
import time

TO_BROKER = "to-broker"
FROM_BROKER = "from-broker"
DIRECTIONS = (TO_BROKER, FROM_BROKER)
CHUNK = 65_536
READ_AHEAD = 1 << 20
HELD_AT_MOST = 1 << 28
PACE = 0.05


class ProxyError(ValueError):
    """A command that cannot be understood, or names what is not there."""


class Framer:
    """Splits a stream into pieces of frames: AMQP's, or TLS records."""

    AMQP_HEADER = 7
    TLS_HEADER = 5
    TLS_HANDSHAKE = 0x16
    PROTOCOL_HEADER = b"AMQP"

    def __init__(self):
        self.is_tls = None
        self.header = bytearray()
        self.left = 0  # bytes of the frame that are still to come, once its header is complete

    def pieces(self, data):
        """Yields (bytes, first, last): whether the piece holds the whole header of a frame, and whether it ends one."""
        view = memoryview(data)
        while view:
            taken, first = 0, False
            if self.left == 0:
                untouched = not self.header
                taken = self._take_header(view)
                first = untouched and not self.header
            end = taken + min(self.left, len(view) - taken)
            self.left -= end - taken
            yield bytes(view[:end]), first, self.left == 0 and not self.header
            view = view[end:]

    def _take_header(self, view):
        """Takes what the header lacks; returns how many bytes that is."""
        if self.is_tls is None:
            self.is_tls = view[0] == self.TLS_HANDSHAKE
        start = (bytes(self.header) + bytes(view[:4]))[:4]
        if self.is_tls:
            size = self.TLS_HEADER
        else:
            size = 8 if start == self.PROTOCOL_HEADER else self.AMQP_HEADER
        taken = min(size - len(self.header), len(view))
        self.header += view[:taken]
        if len(self.header) < size:
            return taken
        if self.is_tls:
            self.left = struct.unpack(">H", self.header[3:5])[0]
        elif start != self.PROTOCOL_HEADER:  # which has no payload
            self.left = struct.unpack(">I", self.header[3:7])[0] + 1
        self.header.clear()
        return taken


@dataclasses.dataclass
class Conditions:
    """The lasting faults of a direction."""
    stalled: bool = False
    unread: bool = False
    delay: float = 0.0
    drip: int = 0


@dataclasses.dataclass
class Strike:
    """A fault that happens once, to the next frame of one of its flows."""
    place: str = "end"  # or "cut"
    how: str = "rst"
    done: bool = False


class Flow:
    """One direction of a connection: a reader, what it holds, and a writer."""

    def __init__(self, connection, direction, source, sink, conditions):
        self.connection = connection
        self.direction = direction
        self.source = source
        self.sink = sink
        self.conditions = dataclasses.replace(conditions)
        self.framer = Framer()
        self.held = collections.deque()
        self.held_bytes = 0
        self.passed_bytes = 0
        self.changed = asyncio.Event()
        self.strike = None

    def change(self, **values):
        for name, value in values.items():
            setattr(self.conditions, name, value)
        self.changed.set()

    async def _until(self, condition):
        while not condition():
            self.changed.clear()
            await self.changed.wait()

    def _may_read(self):
        if self.conditions.stalled:
            return not self.conditions.unread and self.held_bytes < HELD_AT_MOST
        return self.held_bytes < READ_AHEAD

    async def read(self):
        loop = asyncio.get_running_loop()
        data = b"-"
        while data:
            await self._until(self._may_read)
            try:
                data = await loop.sock_recv(self.source, CHUNK)
            except OSError:
                data = b""
                self.connection.was_reset = True
            if not data:
                self.connection.ended_by("client" if self.direction == TO_BROKER else "broker")
            self.held.append((loop.time(), data))
            self.held_bytes += len(data)
            self.changed.set()

    async def write(self):
        loop = asyncio.get_running_loop()
        while True:
            await self._until(lambda: self.held and not self.conditions.stalled)
            arrived, data = self.held[0]
            wait = arrived + self.conditions.delay - loop.time()
            if wait > 0:
                await self._sleep(wait)
                continue
            self.held.popleft()
            if not data:
                return
            for piece, first, last in self.framer.pieces(data):
                if not await self._pass_on(piece, first, last):
                    return
            self.held_bytes -= len(data)
            self.changed.set()

    async def _sleep(self, seconds):
        self.changed.clear()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self.changed.wait(), seconds)

    async def _pass_on(self, piece, first, last):
        """False when the connection was cut on the way."""
        strike = self.strike
        if strike and strike.done:
            self.strike = strike = None
        if strike and strike.place == "cut" and first:
            strike.done = True
            await self._send(piece[:max(1, len(piece) // 2)])
            self.connection.end_soon(strike.how, "proxy")
            return False
        if strike and strike.place != "cut":
            piece = self._corrupted(strike, piece, first, last)
        await self._send(piece)
        return True

    def _corrupted(self, strike, piece, first, last):
        header = Framer.TLS_HEADER if self.framer.is_tls else Framer.AMQP_HEADER
        position = None
        if strike.place == "end" and last:
            position = len(piece) - 1
        elif strike.place == "type" and first:
            position = 0
        elif strike.place == "size" and first:
            position = header - 2 if self.framer.is_tls else header - 4
        elif strike.place == "payload" and first and len(piece) > header + 1:
            position = (header + len(piece)) // 2
        if position is None:
            return piece
        strike.done = True
        changed = bytearray(piece)
        changed[position] ^= 0x55
        return bytes(changed)

    async def _send(self, piece):
        loop = asyncio.get_running_loop()
        while piece:
            await self._until(lambda: not self.conditions.stalled)
            rate = self.conditions.drip
            part = piece[:max(1, int(rate * PACE))] if rate else piece
            await loop.sock_sendall(self.sink, part)
            self.passed_bytes += len(part)
            piece = piece[len(part):]
            if rate:
                await asyncio.sleep(len(part) / rate)


class Connection:
    """A client's connection and the one to the broker behind it."""

    def __init__(self, number, client, broker, conditions):
        self.number = number
        self.client = client
        self.broker = broker
        self.opened = time.time()
        self.closed = None
        self.closed_by = None
        self.was_reset = False
        self.flows = {
            TO_BROKER: Flow(self, TO_BROKER, client, broker, conditions[TO_BROKER]),
            FROM_BROKER: Flow(self, FROM_BROKER, broker, client, conditions[FROM_BROKER]),
        }
        self.tasks = []
        self.ending = None

    async def run(self):
        """Until the connection is over, whoever ends it."""
        readers = [asyncio.create_task(flow.read()) for flow in self.flows.values()]
        writers = [asyncio.create_task(self._write(flow)) for flow in self.flows.values()]
        self.tasks = readers + writers
        await asyncio.wait(writers)
        await self.end("rst" if self.was_reset else "fin", "client")

    async def _write(self, flow):
        try:
            await flow.write()
        except OSError:
            self.was_reset = True
        if self.was_reset:
            self.end_soon("rst", "client" if flow.direction == FROM_BROKER else "broker")
            return
        if self.ending is None:
            with contextlib.suppress(OSError):
                flow.sink.shutdown(socket.SHUT_WR)

    def ended_by(self, whom):
        if self.closed is None:
            self.closed = time.time()
            self.closed_by = whom

    def end_soon(self, how, whom):
        """The task that ends the connection; the first one decides how."""
        if self.ending is None:
            self.ended_by(whom)
            self.ending = asyncio.get_running_loop().create_task(self._end(how))
        return self.ending

    async def end(self, how, whom):
        await asyncio.shield(self.end_soon(how, whom))

    async def _end(self, how):
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)  # no socket is closed under an operation
        for side in (self.client, self.broker):
            if how == "rst":
                side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            side.close()

    @property
    def info(self):
        return {
            "number": self.number, "opened": self.opened, "closed": self.closed, "closed_by": self.closed_by,
            "to_broker": self.flows[TO_BROKER].passed_bytes, "from_broker": self.flows[FROM_BROKER].passed_bytes,
        }


class Proxy:
    """The proxy. `which` is all, open, new, first, last or a connection's number; `direction` is both, to-broker or from-broker."""

    def __init__(self, broker_host, broker_port, port=0, host="127.0.0.1", listen=True):
        self.host = host
        self.port = port
        self.target = (broker_host, int(broker_port))
        self.server = None
        self.acceptor = None
        self.conditions = {direction: Conditions() for direction in DIRECTIONS}
        self.known = {}
        self.open = {}
        self.tasks = set()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, name="proxy", daemon=True)
        self.thread.start()
        if listen:
            try:
                self.accept()
            except OSError:
                self.close()
                raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # Life

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)

    def close(self):
        """Ends every connection and the loop."""
        if not self.loop.is_running():
            return
        self._run(self._close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    async def _close(self):
        await self._refuse()
        await self._cut(list(self.open.values()), "rst")
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    def accept(self):
        """Opens the port, the same as before."""
        self._run(self._accept())

    async def _accept(self):
        if self.server is not None:
            return
        server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind((self.host, self.port))
            server.listen(128)
        except OSError:
            server.close()
            raise
        server.setblocking(False)
        self.port = server.getsockname()[1]
        self.server = server
        self.acceptor = self.loop.create_task(self._serve(server))

    def refuse(self):
        """Closes the port; open connections stay."""
        self._run(self._refuse())

    async def _refuse(self):
        if self.server is None:
            return
        server, self.server = self.server, None
        self.acceptor.cancel()
        await asyncio.gather(self.acceptor, return_exceptions=True)
        server.close()

    async def _serve(self, server):
        while True:
            try:
                client, _ = await self.loop.sock_accept(server)
            except ConnectionError:  # gone before it was accepted
                continue
            task = self.loop.create_task(self._connect(client))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def _connect(self, client):
        broker = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        for side in (client, broker):
            side.setblocking(False)
            side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(len(self.known) + 1, client, broker, self.conditions)
        self.known[connection.number] = self.open[connection.number] = connection
        try:
            await self.loop.sock_connect(broker, self.target)
            await connection.run()
        except OSError:  # no broker behind us: the client learns it at once
            await connection.end("rst", "broker")
        finally:
            await connection.end("rst", "proxy")
            self.open.pop(connection.number, None)

    # Looking

    def connections(self):
        """The numbers of the open connections, oldest first."""
        return self._run(self._call(lambda: list(self.open)))

    @property
    def accepted(self):
        """How many connections there have been."""
        return self._run(self._call(lambda: len(self.known)))

    def info(self, number):
        """What is known of a connection: number, opened, closed (seconds since the epoch; None), closed_by (client, broker, proxy), bytes."""
        return self._run(self._call(lambda: self._select(number, self.known)[0].info))

    def armed(self):
        """Connections whose corrupt or cut-mid-frame waits for a frame."""
        def waiting():
            return [number for number, connection in self.open.items()
                    if any(flow.strike and not flow.strike.done for flow in connection.flows.values())]
        return self._run(self._call(waiting))

    async def _call(self, function):
        return function()

    # Faults

    def cut(self, which="all", how="rst"):
        """Ends connections on both sides, by RST or FIN."""
        self._run(self._cut(self._select(which), how))

    async def _cut(self, connections, how):
        for connection in connections:
            await connection.end(how, "proxy")

    def stall(self, which="all", direction="both", unread=False):
        """Passes nothing on, as a network that lost a route; goes on reading unless `unread`, which fills the sender's buffers."""
        self._change(which, direction, stalled=True, unread=unread)

    def resume(self, which="all", direction="both"):
        """Passes on what was held, as TCP does after a gap."""
        self._change(which, direction, stalled=False, unread=False)

    def delay(self, seconds, which="all", direction="both"):
        """Passes everything on so much later; 0 ends it."""
        self._change(which, direction, delay=seconds)

    def drip(self, rate, which="all", direction="both"):
        """Passes on so many bytes a second; 0 ends it."""
        self._change(which, direction, drip=rate)

    def corrupt(self, which="all", direction="both", place="end"):
        """Changes one byte of the next frame."""
        self._arm(which, direction, place=place)

    def cut_mid_frame(self, which="all", direction="both", how="rst"):
        """Passes on half of the next frame and ends the connection."""
        self._arm(which, direction, place="cut", how=how)

    def calm(self):
        """No fault any more."""
        self._change("all", "both", stalled=False, unread=False, delay=0.0, drip=0)
        self._run(self._call(self._disarm))
        self.accept()

    def _disarm(self):
        for connection in self.open.values():
            for flow in connection.flows.values():
                flow.strike = None

    def _select(self, which, among=None):
        among = self.open if among is None else among
        if which in ("all", "open"):
            return list(among.values())
        if which == "new":
            return []
        if which in ("first", "last"):
            if not among:
                raise ProxyError("no connection is open")
            return [list(among.values())[0 if which == "first" else -1]]
        if which not in among:
            raise ProxyError(f"there is no connection {which}")
        return [among[which]]

    @staticmethod
    def _directions(direction):
        return DIRECTIONS if direction == "both" else (direction,)

    def _change(self, which, direction, **values):
        def change():
            for connection in self._select(which):
                for name in self._directions(direction):
                    connection.flows[name].change(**values)
            if which in ("all", "new"):
                for name in self._directions(direction):
                    self.conditions[name] = dataclasses.replace(self.conditions[name], **values)
        self._run(self._call(change))

    def _arm(self, which, direction, **values):
        def arm():
            for connection in self._select(which):
                strike = Strike(**values)
                for name in self._directions(direction):
                    connection.flows[name].strike = strike
        self._run(self._call(arm))


class Commands:
    """The commands of the process."""

    WORDS = {
        "which": ("all", "open", "new", "first", "last"),
        "direction": ("both", *DIRECTIONS),
        "how": ("rst", "fin"),
        "place": ("end", "type", "size", "payload"),
        "unread": ("unread",),
    }

    def __init__(self, proxy):
        self.proxy = proxy

    def answer(self, line):
        """The answer to a line, without its end."""
        try:
            command, *words = line.split()
            return " ".join(["ok", *map(str, self._perform(command, words) or ())])
        except (ProxyError, OSError) as error:
            return f"error {error}"

    def _perform(self, command, words):
        proxy = self.proxy
        match command:
            case "listen":
                proxy.refuse()
                proxy.port = self._number(words[0]) if words else 0
                proxy.accept()
                return proxy.host, proxy.port
            case "target":
                if len(words) != 2:
                    raise ProxyError("target takes a host and a port")
                proxy.target = (words[0], self._number(words[1]))
            case "refuse" | "accept" | "calm":
                getattr(proxy, command)()
            case "connections" | "armed":
                return getattr(proxy, command)()
            case "accepted":
                return (proxy.accepted,)
            case "info":
                return (json.dumps(proxy.info(self._options(words, "which").get("which", "last"))),)
            case "cut":
                proxy.cut(**self._options(words, "which", "how"))
            case "stall":
                proxy.stall(**self._options(words, "which", "direction", "unread"))
            case "resume":
                proxy.resume(**self._options(words, "which", "direction"))
            case "delay":
                proxy.delay(self._number(words[0] if words else "") / 1000, **self._options(words[1:], "which", "direction"))
            case "drip":
                proxy.drip(self._number(words[0] if words else ""), **self._options(words[1:], "which", "direction"))
            case "corrupt":
                proxy.corrupt(**self._options(words, "which", "direction", "place"))
            case "cut-mid-frame":
                proxy.cut_mid_frame(**self._options(words, "which", "direction", "how"))
            case _:
                raise ProxyError(f"there is no command {command}")
        return None

    @staticmethod
    def _number(word):
        if not word.isascii() or not word.isdigit():
            raise ProxyError(f"{word!r} is not a number")
        return int(word)

    def _options(self, words, *names):
        """Keyword arguments from words, each of which tells by itself what it means."""
        options = {}
        for word in words:
            if word.startswith("#") and "which" in names:
                options["which"] = self._number(word[1:])
                continue
            name = next((name for name in names if word in self.WORDS[name]), None)
            if name is None:
                raise ProxyError(f"{word!r} has no meaning here")
            options[name] = True if name == "unread" else word
        return options


def main(arguments):
    if len(arguments) != 2 or not arguments[1].isdigit():
        print(__doc__, file=sys.stderr)
        return 64
    with Proxy(*arguments, listen=False) as proxy:
        commands = Commands(proxy)
        for line in sys.stdin:
            if line.strip() == "quit":
                break
            print(commands.answer(line) if line.strip() else "error there is no command", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
