"""Where a body goes. In Celery who completes a chord routes its body; the collector knows neither the tasks of Python nor their routes."""

from celery.utils.functional import maybe_list

_FROM_THE_TASK = ("queue", "routing_key", "exchange", "priority", "time_limit", "soft_time_limit", "expires")
_DESTINATION = ("queue", "routing_key", "exchange")


def address(body, app):
    """Writes into the options of a body what this app's settings say of the tasks that the collector will send: the body's first ones, the bodies of
    chords among them, and the errbacks of all.
    """
    waiting = [body]
    while waiting:
        signature = waiting.pop()
        kwargs, kind = signature.get("kwargs") or {}, signature.get("subtask_type")
        waiting.extend(_errbacks(signature))
        if kind == "chain":
            steps = list(kwargs["tasks"])
            waiting.extend(steps[:1])
            waiting.extend(errback for step in steps[1:] for errback in _errbacks(step))
        elif kind == "group":
            waiting.extend(kwargs["tasks"])
        elif kind == "chord":
            header = kwargs["header"]
            waiting.extend([header] if isinstance(header, dict) else header)
            waiting.append(kwargs["body"])
        else:
            _address_task(signature, app)


def _errbacks(signature):
    return maybe_list(signature["options"].get("link_error")) or []


def _address_task(signature, app):
    name, options = signature["task"], signature["options"]
    task = app.tasks.get(name)
    if task is not None:
        own = task._get_exec_options()
        for option in _FROM_THE_TASK:
            if options.get(option) is None and own.get(option) is not None:
                options[option] = own[option]
    if any(options.get(option) is not None for option in _DESTINATION):
        return
    route = app.amqp.router.route({}, name, signature.get("args") or (), signature.get("kwargs") or {}, task)
    queue = route.pop("queue", None)
    if queue is not None:
        options["queue"] = getattr(queue, "name", queue)
    for option, value in route.items():
        options.setdefault(option, value)
