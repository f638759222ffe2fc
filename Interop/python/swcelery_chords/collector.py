"""Where the results of a chord's tasks come together: the names and arguments of the collector's queues."""
from celery.exceptions import ImproperlyConfigured

PREFIX = "swcelery.chord"
MAX_QUEUES = 64

# Every declarer has to give exactly these, or the broker refuses the declaration.
QUEUE_ARGUMENTS = {"x-queue-type": "classic", "x-single-active-consumer": True}


class Collector:
    """The collector's queues, as the settings `chord_queue_prefix` and `chord_queues` name them."""

    def __init__(self, prefix=PREFIX, queues=1):
        if not isinstance(prefix, str) or not prefix:
            raise ImproperlyConfigured("chord_queue_prefix has to be a text that is not empty")
        if isinstance(queues, bool) or not isinstance(queues, int) or not 1 <= queues <= MAX_QUEUES:
            raise ImproperlyConfigured(f"chord_queues has to be from 1 to {MAX_QUEUES}")
        self.prefix = prefix
        self.queues = queues

    @classmethod
    def configured(cls, conf):
        return cls(conf.get("chord_queue_prefix", PREFIX), conf.get("chord_queues", 1))

    def collects(self, reply_to):
        """Whether a reply queue is a collector's, so that the results sent to it are parts of a chord."""
        return isinstance(reply_to, str) and reply_to.startswith(f"{self.prefix}.")

    def queue(self, group_id):
        """The queue of a chord; the same for every part of it, in every process."""
        number = 0
        for byte in group_id.encode():
            number = (number * 31 + byte) % 2**32
        return f"{self.prefix}.{number % self.queues}"
