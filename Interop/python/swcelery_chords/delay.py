"""When the tasks of a workflow are due, as far as the countdowns and etas in it tell before any of them runs."""
import datetime

from celery.utils.time import maybe_iso8601, maybe_make_aware


def latest(tasks, now, app, delay):
    """The latest time at which the last steps of `tasks` are due when they are sent at `now`, with the delay that their group gives them."""
    return max((_due(task, now, app, delay) for task in tasks), default=now)


def _due(signature, start, app, delay=None):
    options = signature.get("options") or {}
    delay = {**{name: options[name] for name in ("countdown", "eta") if options.get(name) is not None}, **(delay or {})}
    kwargs, kind = signature.get("kwargs") or {}, signature.get("subtask_type")
    if kind == "chain":
        for step in kwargs["tasks"]:
            start, delay = _due(step, start, app, delay), None
        return start
    if kind == "group":
        return latest(kwargs["tasks"], start, app, delay)
    if kind == "chord":
        header, body = kwargs["header"], kwargs.get("body")
        start = _due(header, start, app, delay) if isinstance(header, dict) else latest(header, start, app, delay)
        return start if body is None else _due(body, start, app)
    return _delayed(start, app, **delay)


def _delayed(start, app, countdown=None, eta=None):
    """Celery's rule: a countdown comes before an eta."""
    if countdown:
        return start + datetime.timedelta(seconds=countdown)
    if eta:
        return max(start, maybe_make_aware(maybe_iso8601(eta), app.timezone))
    return start
