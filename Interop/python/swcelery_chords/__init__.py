"""Chords over AMQP for Celery: the result backend that joins them through a swcelery worker, without Redis or a database.

    app.conf.result_backend = "swcelery_chords:ChordRPCBackend"
"""
from .backend import ChordRPCBackend

__all__ = ["ChordRPCBackend"]
