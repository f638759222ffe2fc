"""The Python half of a mixed deployment: the tasks that `swcelery` also serves, under the same names.

    celery -A proj worker -Q python
"""
from .celery import app

__all__ = ["app"]
