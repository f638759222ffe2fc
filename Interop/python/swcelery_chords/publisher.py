"""Publishing that ends when the broker has taken the message."""
import contextlib
import itertools
import os
import threading
import time
import weakref

from amqp.basic_message import Message
from amqp.exceptions import MessageNacked
from celery.exceptions import ImproperlyConfigured
from celery.utils.log import get_logger
from kombu.exceptions import OperationalError

from .collector import QUEUE_ARGUMENTS

logger = get_logger(__name__)

CONFIRM_TIMEOUT = 30

# Threads beyond these wait for their turn, which is one confirm of the broker.
MOST_CONNECTIONS = 10

_ATTRIBUTE = "_swcelery_chords_publisher"

_all = weakref.WeakSet()
_of_the_parent = []


def publisher(app):
    """The publisher of an app, one for all of its threads."""
    found = vars(app).get(_ATTRIBUTE)
    return found if found is not None else vars(app).setdefault(_ATTRIBUTE, ConfirmingPublisher(app))


class ConfirmingPublisher:
    """Connections of its own in confirm mode, as many as threads publish at the same time, up to a bound.

    The connections of Celery's pools cannot be used: a sender of a nested chord holds one of them already, and a channel in
    confirm mode cannot be shared with publishers that do not read the confirms.
    """

    def __init__(self, app):
        self._app = weakref.ref(app)
        self._begin()
        _all.add(self)

    def _begin(self):
        self._turns = threading.BoundedSemaphore(MOST_CONNECTIONS)
        self._open = set()
        self._idle = []

    def publish(self, body, queue, *, declare=False, retry_policy=None, **properties):
        """Publishes to `queue` and returns when the broker has confirmed; with `declare`, it makes the queue before.

        Raises kombu.exceptions.OperationalError when the retries of the policy are used up; without a policy there is one attempt.
        """
        for attempt in itertools.count():
            with self._turns:
                link = self._take(fresh=attempt > 0)
                try:
                    link.publish(body, queue, declare, properties)
                except link.errors() as error:
                    recoverable = isinstance(error, link.errors(recoverable=True))
                    self._drop(link)
                    if not recoverable or _is_last(attempt, retry_policy):
                        raise OperationalError(f"{queue} has not taken a message: {error!r}") from error
                    logger.warning("Publishing to %s again: %r", queue, error)
                except BaseException:
                    self._drop(link)
                    raise
                else:
                    self._idle.append(link)
                    return
            time.sleep(_pause(attempt, retry_policy))

    def close(self):
        """Closes the connections that no thread uses."""
        with contextlib.suppress(IndexError):
            while True:
                self._drop(self._idle.pop())

    def after_fork(self):
        """In the child the connections are the parent's: closing them here, even by letting go of them, would end them there."""
        _of_the_parent.extend(self._open)
        self._begin()

    def _take(self, fresh):
        if fresh:
            # What has broken one connection has most likely broken those that lie about.
            self.close()
        try:
            return self._idle.pop()
        except IndexError:
            link = _Link(self._app())
            self._open.add(link)
            return link

    def _drop(self, link):
        link.close()
        self._open.discard(link)


class _Link:
    """A connection and its channel in confirm mode, for one thread at a time."""

    def __init__(self, app):
        self._connection = app.connection_for_write()
        self._channel = None

    def publish(self, body, queue, declare, properties):
        channel = self._open_channel()
        if declare:
            channel.queue_declare(queue, durable=True, auto_delete=False, arguments=QUEUE_ARGUMENTS)
        message = Message(body, channel=channel, **properties)
        channel.basic_publish_confirm(message, exchange="", routing_key=queue, mandatory=declare, confirm_timeout=CONFIRM_TIMEOUT)

    def close(self):
        try:
            self._connection.collect()
        except Exception:
            logger.debug("Closing a broken connection", exc_info=True)

    def errors(self, recoverable=False):
        connection = self._connection
        if recoverable:
            # A refused declaration is an error of the channel that no further attempt changes.
            return (*connection.recoverable_connection_errors, OperationalError, OSError, MessageNacked)
        return (*connection.connection_errors, *connection.channel_errors, OperationalError, OSError, MessageNacked)

    def _open_channel(self):
        if self._channel is None:
            connection = self._connection
            if connection.transport.driver_type != "amqp" or not hasattr(connection.transport.Connection.Channel, "basic_publish_confirm"):
                raise ImproperlyConfigured("swcelery_chords needs an amqp:// or pyamqp:// broker")
            connection.ensure_connection(max_retries=max(1, len(connection.alt)), interval_start=0, interval_step=0.2)
            self._channel = connection.channel()
        return self._channel


def _is_last(attempt, policy):
    if policy is None:
        return True
    most = policy.get("max_retries", 3)
    return most is not None and attempt >= most


def _pause(attempt, policy):
    pause = policy.get("interval_start", 0) + attempt * policy.get("interval_step", 0.2)
    return min(pause, policy.get("interval_max", 1))


def _after_fork():
    for each in list(_all):
        each.after_fork()


os.register_at_fork(after_in_child=_after_fork)
