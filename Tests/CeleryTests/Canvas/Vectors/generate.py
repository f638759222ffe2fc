#!/usr/bin/env python3
"""Writes canvas.json beside this file: signatures as Celery's canvas makes them, in the JSON that travels.

Run with the Celery whose forms are wanted: python3 generate.py > canvas.json
"""
import json
import sys

from celery import Celery, chain, chord, group
from celery.canvas import StampingVisitor, chunks, xmap, xstarmap
from kombu.utils.json import dumps

app = Celery('vectors', set_as_current=True)


@app.task(name='tasks.add')
def add(x, y):
    return x + y


@app.task(name='tasks.mul')
def mul(x, y):
    return x * y


@app.task(name='tasks.xsum')
def xsum(numbers):
    return sum(numbers)


@app.task(name='tasks.err')
def err(task_id):
    return task_id


class Marker(StampingVisitor):
    def on_signature(self, sig, **headers):
        return {'mark': f'sig-{sig.task}', 'stamped_headers': ['mark']}

    def on_group_start(self, group, **headers):
        return {'in_group': True, 'stamped_headers': ['in_group']}

    def on_chain_start(self, chain, **headers):
        return {'in_chain': 1}

    def on_chord_body(self, chord, **headers):
        return {'in_body': 'yes'}

    def on_callback(self, callback, **headers):
        return {'callback': True}

    def on_errback(self, errback, **headers):
        return {'errback': True}


def stamped(sig, *args, **kwargs):
    sig.stamp(*args, **kwargs)
    return sig


def stamped_twice(sig, append):
    sig.stamp(stamp='one', many=['a'])
    sig.stamp(append_stamps=append, stamp='two', many=['b'])
    return sig


def linked(sig, callback=None, errback=None):
    if callback is not None:
        sig.link(callback)
    if errback is not None:
        sig.link_error(errback)
    return sig


def two():
    return group(add.s(1, 1), add.s(2, 2))


CASES = {
    'task': lambda: add.s(1, 2),
    'partial': lambda: add.s(2).clone((1,), {'k': 3}),
    'immutable': lambda: add.si(1, 2).clone((9,), priority=3),
    'set': lambda: add.s(1, 2).set(queue='q', priority=3, countdown=5),
    'link': lambda: linked(add.s(1, 2), mul.s(3), err.s()),
    'link_twice': lambda: linked(linked(add.s(1, 2), mul.s(3)), mul.s(3)),
    'chain': lambda: chain(add.s(1, 2), mul.s(3)),
    'chain_nested': lambda: chain(add.s(1, 2), chain(mul.s(3), chain(mul.s(4), add.s(5)))),
    'chain_nested_links': lambda: chain(add.s(1, 2), linked(chain(mul.s(3), mul.s(4)), add.s(9), err.s()), mul.s(5)),
    'chain_link': lambda: linked(chain(add.s(1, 2), mul.s(3)), add.s(1), err.s()),
    'chain_one_member': lambda: chain(add.s(1, 2), group(mul.s(3)), mul.s(4)),
    'chain_empty_group': lambda: chain(add.s(1, 2), group(), mul.s(4)),
    'chain_to_group': lambda: chain(add.s(1, 2), group(mul.s(3), mul.s(4))),
    'group': two,
    'group_link_error': lambda: linked(two(), errback=err.s()),
    'group_link': lambda: linked(two(), add.s(7)),
    'group_then': lambda: two() | xsum.s(),
    'group_then_two': lambda: chain(two(), xsum.s(), mul.s(2)),
    'task_group_then_group': lambda: chain(add.s(1, 2), two(), xsum.s(), group(mul.s(2), mul.s(3))),
    'group_then_group_then': lambda: chain(two(), xsum.s(), group(mul.s(2), mul.s(3)), xsum.s(), mul.s(4)),
    'task_group_then': lambda: chain(add.s(1, 2), group(mul.s(3), mul.s(4)), xsum.s(), mul.s(5)),
    'chord': lambda: chord([add.s(1, 1), add.s(2, 2)], xsum.s()),
    'chord_then': lambda: chord([add.s(1, 1), add.s(2, 2)], xsum.s()) | mul.s(2) | mul.s(3),
    'chord_chain_body': lambda: chord([add.s(1, 1), add.s(2, 2)], chain(xsum.s(), mul.s(2))),
    'chord_links': lambda: linked(chord([add.s(1, 1), add.s(2, 2)], xsum.s()), mul.s(2), err.s()),
    'chord_nested_errback': lambda: linked(
        chord([chord([add.s(1, 1), add.s(2, 2)], xsum.s()), add.s(3, 3)], xsum.s()), errback=err.s()),
    'chord_of_chains': lambda: chord([chain(add.s(1, 1), mul.s(2)), add.s(2, 2)], xsum.s()),
    'task_then_chord': lambda: chain(add.s(1, 2), chord([mul.s(3), mul.s(4)], xsum.s()), mul.s(5)),
    'map': lambda: xmap(xsum.s(), [[1, 2], [3, 4]]),
    'starmap': lambda: xstarmap(add.s(), [(1, 2), (3, 4)]),
    'chunks': lambda: chunks(add.s(), [(1, 1), (2, 2), (3, 3)], 2),
    'chunks_group': lambda: chunks(add.s(), [(1, 1), (2, 2), (3, 3)], 2).group(),
    'stamp': lambda: stamped(add.s(1, 2), a='1', b=['2', '3']),
    'stamp_twice': lambda: stamped_twice(add.s(1, 2), False),
    'stamp_appended': lambda: stamped_twice(add.s(1, 2), True),
    'stamp_chain': lambda: stamped(chain(add.s(1, 2), mul.s(3)), a='1'),
    'stamp_chord': lambda: stamped(chord([add.s(1, 1), add.s(2, 2)], xsum.s()), a='1'),
    'stamp_links': lambda: stamped(linked(add.s(1, 2), mul.s(3), err.s()), a='1'),
    'visit': lambda: stamped(add.s(1, 2), Marker()),
    'visit_links': lambda: stamped(linked(add.s(1, 2), mul.s(3), err.s()), Marker()),
    'visit_chain': lambda: stamped(chain(add.s(1, 2), mul.s(3)), Marker()),
    'visit_group': lambda: stamped(two(), Marker()),
    'visit_chord': lambda: stamped(chord([add.s(1, 1), add.s(2, 2)], xsum.s()), Marker()),
    'visit_nested': lambda: stamped(chain(add.s(1, 2), group(mul.s(3), chain(mul.s(4), add.s(5)))), Marker()),
    'visit_appended': lambda: stamped(stamped(add.s(1, 2), mark='mine'), Marker(), append_stamps=True),
}


def sorted_names(value):
    """The names of stamps in one order: Celery keeps them in a set."""
    if isinstance(value, dict):
        for key, item in value.items():
            value[key] = sorted(item) if key == 'stamped_headers' else sorted_names(item)
    elif isinstance(value, list):
        value = [sorted_names(item) for item in value]
    return value


def main():
    cases = {}
    for name, make in CASES.items():
        text = dumps(make())
        # What was written can be read, and is the same signature then. (A visitor makes a group of a chord's header,
        # which reading takes apart again: both forms mean the same.)
        again = dumps(app.signature(json.loads(text)))
        assert name == 'visit_chord' or json.loads(again) == json.loads(text), name
        text = again
        cases[name] = sorted_names(json.loads(text))
    json.dump(cases, sys.stdout, indent=1)
    sys.stdout.write('\n')


if __name__ == '__main__':
    main()
