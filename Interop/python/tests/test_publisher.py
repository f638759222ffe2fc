"""The publisher of manifests and parts, used by many threads at a time."""
import threading
import types

import pytest
from harness import unique
from kombu.exceptions import OperationalError

from swcelery_chords import publisher as module
from swcelery_chords.publisher import publisher

PATIENCE = 60
POLICY = {"max_retries": 1, "interval_start": 0, "interval_step": 0}


@pytest.fixture
def queue(wire):
    name = unique("parts")
    wire.created.append(name)
    wire.channel.queue_declare(name, durable=True, auto_delete=False)
    return name


def in_threads(count, work):
    """Runs work() in threads, and all of it at the same time as far as it waits at the barrier that it gets."""
    barrier = threading.Barrier(count)
    threads = [threading.Thread(target=work, args=(barrier,), daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in threads)


def fill(app, queue, count, monkeypatch):
    """Lets so many threads publish at the same time that `count` connections are open."""
    with monkeypatch.context() as patch:
        publish = module._Link.publish

        def together(link, *args):
            barrier.wait(PATIENCE)
            publish(link, *args)

        barrier = threading.Barrier(count)
        patch.setattr(module._Link, "publish", together)
        in_threads(count, lambda _: publisher(app).publish(b"part", queue))
    assert len(publisher(app)._open) == len(publisher(app)._idle) == count


def test_connection_is_used_again(place, app, wire, queue):
    for _ in range(5):
        publisher(app).publish(b"part", queue)
    assert len(publisher(app)._open) == len(publisher(app)._idle) == 1
    assert wire.ready(queue) == 5


def test_broken_connections_are_replaced(place, app, wire, queue, monkeypatch):
    """One retry is enough, however many of them are broken."""
    fill(app, queue, 4, monkeypatch)
    for link in publisher(app)._idle:
        link._connection.connection.transport.sock.close()
    publisher(app).publish(b"part", queue, retry_policy=POLICY)
    assert wire.ready(queue) == 5
    assert len(publisher(app)._open) == len(publisher(app)._idle) == 1


def test_connections_are_bounded(place, app, wire, queue, monkeypatch):
    monkeypatch.setattr(module, "MOST_CONNECTIONS", 3)
    most = []

    def work(barrier):
        barrier.wait(PATIENCE)
        for _ in range(5):
            publisher(app).publish(b"part", queue)
            most.append(len(publisher(app)._open))

    in_threads(12, work)
    assert wire.ready(queue) == 60
    assert 1 <= max(most) <= 3


def test_silent_broker_stops_one_thread(place, app, wire, queue, monkeypatch):
    publish, silent, answered = module._Link.publish, threading.Event(), threading.Event()

    def maybe_silent(link, body, *args):
        if body == b"silent":
            silent.set()
            assert answered.wait(PATIENCE)
        publish(link, body, *args)

    monkeypatch.setattr(module._Link, "publish", maybe_silent)
    thread = threading.Thread(target=lambda: publisher(app).publish(b"silent", queue), daemon=True)
    thread.start()
    assert silent.wait(PATIENCE)
    publisher(app).publish(b"part", queue)
    assert wire.ready(queue) == 1
    answered.set()
    thread.join(PATIENCE)
    assert wire.ready(queue) == 2


def test_pause_before_a_retry_stops_nobody(place, app, wire, queue, monkeypatch):
    monkeypatch.setattr(module, "MOST_CONNECTIONS", 1)
    publish, failures, during = module._Link.publish, [], []

    def fails_once(link, body, *args):
        if body == b"retried" and not failures:
            failures.append(True)
            raise OSError("broken")
        publish(link, body, *args)

    def pause(_):
        in_threads(1, lambda _: publisher(app).publish(b"part", queue))
        during.append(wire.ready(queue))

    monkeypatch.setattr(module._Link, "publish", fails_once)
    monkeypatch.setattr(module, "time", types.SimpleNamespace(sleep=pause))
    publisher(app).publish(b"retried", queue, retry_policy=POLICY)
    monkeypatch.undo()
    assert during == [1]
    assert wire.ready(queue) == 2


def test_retries_end(place, app, queue, monkeypatch):
    attempts = []

    def fails(link, *args):
        attempts.append(link)
        raise OSError("broken")

    monkeypatch.setattr(module._Link, "publish", fails)
    with pytest.raises(OperationalError, match="broken"):
        publisher(app).publish(b"part", queue, retry_policy=POLICY)
    assert len(set(attempts)) == 2
    assert not publisher(app)._open and not publisher(app)._idle
