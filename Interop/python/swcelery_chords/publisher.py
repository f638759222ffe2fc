"""Publishing that ends when the broker has taken the message."""
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

_ATTRIBUTE = "_swcelery_chords_publisher"

_all = weakref.WeakSet()
_of_the_parent = []


def publisher(app):
    """The publisher of an app, one for all of its threads."""
    found = vars(app).get(_ATTRIBUTE)
    return found if found is not None else vars(app).setdefault(_ATTRIBUTE, ConfirmingPublisher(app))


class ConfirmingPublisher:
    """A connection of its own in confirm mode.

    The connections of Celery's pools cannot be used: a sender of a nested chord holds one of them already, and a channel in
    confirm mode cannot be shared with publishers that do not read the confirms.
    """

    def __init__(self, app):
        self._app = weakref.ref(app)
        self._lock = threading.RLock()
        self._connection = None
        self._channel = None
        _all.add(self)

    def publish(self, body, queue, *, declare=False, retry_policy=None, **properties):
        """Publishes to `queue` and returns when the broker has confirmed; with `declare`, it makes the queue before.

        Raises kombu.exceptions.OperationalError when the retries of the policy are used up; without a policy there is one attempt.
        """
        with self._lock:
            for attempt in itertools.count():
                try:
                    return self._attempt(body, queue, declare, properties)
                except self._errors() as error:
                    recoverable = isinstance(error, self._errors(recoverable=True))
                    self._drop()
                    if not recoverable or self._is_last(attempt, retry_policy):
                        raise OperationalError(f"{queue} has not taken a message: {error!r}") from error
                    logger.warning("Publishing to %s again: %r", queue, error)
                    time.sleep(self._pause(attempt, retry_policy))
                except BaseException:
                    self._drop()
                    raise

    def close(self):
        with self._lock:
            self._drop()

    def _attempt(self, body, queue, declare, properties):
        channel = self._open_channel()
        if declare:
            channel.queue_declare(queue, durable=True, auto_delete=False, arguments=QUEUE_ARGUMENTS)
        message = Message(body, channel=channel, **properties)
        channel.basic_publish_confirm(message, exchange="", routing_key=queue, mandatory=declare, confirm_timeout=CONFIRM_TIMEOUT)

    def _open_channel(self):
        if self._connection is None:
            self._connection = self._app().connection_for_write()
        if self._channel is None:
            if self._connection.transport.driver_type != "amqp" or not hasattr(self._connection.transport.Connection.Channel, "basic_publish_confirm"):
                raise ImproperlyConfigured("swcelery_chords needs an amqp:// or pyamqp:// broker")
            self._connection.ensure_connection(max_retries=max(1, len(self._connection.alt)), interval_start=0, interval_step=0.2)
            self._channel = self._connection.channel()
        return self._channel

    def after_fork(self):
        """In the child the connection is the parent's: closing it here, even by letting go of it, would end it there."""
        if self._connection is not None:
            _of_the_parent.append((self._connection, self._channel))
        self._connection = self._channel = None
        self._lock = threading.RLock()

    def _drop(self):
        connection, self._connection, self._channel = self._connection, None, None
        if connection is not None:
            try:
                connection.collect()
            except Exception:
                logger.debug("Closing a broken connection", exc_info=True)

    def _errors(self, recoverable=False):
        if self._connection is None:
            return (OperationalError, OSError)
        if recoverable:
            # A refused declaration is an error of the channel that no further attempt changes.
            return (*self._connection.recoverable_connection_errors, OperationalError, OSError, MessageNacked)
        return (*self._connection.connection_errors, *self._connection.channel_errors, OperationalError, OSError, MessageNacked)

    @staticmethod
    def _is_last(attempt, policy):
        if policy is None:
            return True
        most = policy.get("max_retries", 3)
        return most is not None and attempt >= most

    @staticmethod
    def _pause(attempt, policy):
        pause = policy.get("interval_start", 0) + attempt * policy.get("interval_step", 0.2)
        return min(pause, policy.get("interval_max", 1))


def _after_fork():
    for each in list(_all):
        each.after_fork()


os.register_at_fork(after_in_child=_after_fork)
