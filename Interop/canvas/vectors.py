"""Writes what Celery sends for workflows of many shapes, without a broker, for the tests of the composer.

    python Interop/canvas/vectors.py Tests/CeleryProtocolTests/Vectors/canvas.json

Ids are numbered in the order in which they first stand in the messages; the sender's reply queue is "client".
"""
import json
import random
import re
import sys

import celery.canvas as canvas
from celery import Celery, chain, chord, group
from celery._state import _task_stack
from celery.exceptions import Ignore
from celery.result import ResultSet
from kombu.utils.json import dumps

app = Celery('vectors', broker='memory://', backend='cache+memory://', set_as_current=True)
sent, chords = [], []


def capture(producer, name, message, **options):
    sent.append((message, options))


app.amqp.__dict__['send_task_message'] = capture
app.backend.ensure_chords_allowed = lambda: None
app.backend.set_chord_size = lambda *args: None
app.backend.add_pending_result = lambda result, **options: result
app.backend.apply_chord = lambda header, body, **options: chords.append((header[0], body, header[1]))


@app.task(name='t.a')
def a(*args):
    pass


@app.task(name='t.b')
def b(*args):
    pass


@app.task(name='t.join')
def join(*args):
    pass


@app.task(name='t.err')
def err(*args):
    pass


@app.task(name='t.done')
def done(*args):
    pass


def line(message, options):
    headers, properties, body = message[0], message[1], message[2]
    keys = ('task', 'id', 'root_id', 'parent_id', 'group', 'group_index', 'ignore_result', 'replaced_task_nesting',
            'stamped_headers', 'stamps')
    return ' '.join([
        *(f'{key}={dumps(headers[key])}' for key in keys),
        f'eta={dumps(headers["eta"] is not None)}',
        f'reply_to={properties["reply_to"]} priority={options.get("priority") or 0}',
        dumps(body),
    ])


UUID = re.compile(r'[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}')


def canonical(value, ids, prefix='id'):
    def number(match):
        return ids.setdefault(match.group(), f'{prefix}{len(ids)}')
    return json.loads(UUID.sub(number, json.dumps(value)))


def run(call):
    """Messages, the chords that were announced with their bodies and members, and the children of the running task."""
    sent.clear()
    chords.clear()
    result = call()
    lines = [line(message, options) for message, options in sent]
    return lines, [[gid, json.loads(dumps(body)), nested_ids(results)] for gid, body, results in chords], result


def nested_ids(results):
    """The ids of the tasks whose results the body gets, nested as these are."""
    return [nested_ids(result.results) if isinstance(result, ResultSet) else result.id for result in results]


def within(message, call):
    """Runs a call in the name of the task of a message."""
    headers, body = message['headers'], message['body']
    request = dict(
        headers, **body[2], args=body[0], kwargs=body[1], called_directly=False, is_eager=False, children=[],
        delivery_info={}, reply_to='callers-queue', correlation_id=headers['id'],
    )
    request['group'] = headers.get('group')
    a.push_request(**request)
    _task_stack.push(a)
    try:
        return run(call), [json.loads(dumps(child.as_tuple())) for child in a.request.children]
    finally:
        _task_stack.pop()
        a.pop_request()


def parent(chain=None, callbacks=None, errbacks=None, chord=None, **headers):
    return {
        'headers': {'task': 't.a', 'id': 'parent', 'root_id': 'root', **headers},
        'body': [[1], {}, {'callbacks': callbacks, 'errbacks': errbacks, 'chain': chain, 'chord': chord}],
    }


def plain(signature):
    return json.loads(dumps(signature))


cases = []


def add(kind, name, call, message=None, **inputs):
    """Adds a case: what comes of a call, and then what comes of each step and body that it leaves for later."""
    try:
        if message is None:
            (lines, announced, result), children = run(call), None
            messages = list(sent)
        else:
            (lines, announced, result), children = within(message, call)
            messages = list(sent)
    except RecursionError:
        raise
    except Exception as error:  # a shape that Celery cannot send
        print(f'{name}: {error!r}', file=sys.stderr)
        return
    ids = {app.thread_oid: 'client'}
    case = {'kind': kind, 'name': name, **inputs, 'lines': lines, 'chords': announced, 'children': children}
    if message is not None:
        case['message'] = message
    # The messages come first in the numbering.
    order = canonical([case['lines']], ids)
    case = canonical(case, ids)
    assert order[0] == case['lines']
    cases.append(case)
    if name.count('>') >= 6:
        return
    for index, (sent_message, _) in enumerate(messages):
        headers, body = sent_message[0], plain(sent_message[2])
        if body[2].get('chain'):
            kept = {key: headers[key] for key in ('task', 'id', 'root_id', 'parent_id', 'group', 'group_index')}
            step(f'{name}>{index}', {'headers': kept, 'body': body})
    for index, (gid, body, _) in enumerate(list(announced)):
        finish(f'{name}>body{index}', gid, body)


def step(name, message):
    message = canonical(message, {app.thread_oid: 'client'}, 'old')
    message = json.loads(json.dumps(message).replace('"client"', json.dumps(app.thread_oid)))
    steps = message['body'][2]['chain']
    signature = canvas.signature(json.loads(json.dumps(steps[-1])), app=app)
    add('step', name, lambda: signature.apply_async(
        (7,), chain=steps[:-1], parent_id=message['headers']['id'], root_id=message['headers']['root_id'],
        priority=None), message=message)


def finish(name, gid, body):
    body = canonical(body, {app.thread_oid: 'client'}, 'old')
    body = json.loads(json.dumps(body).replace('"client"', json.dumps(app.thread_oid)))
    signature = canvas.signature(json.loads(json.dumps(body)), app=app)
    message = parent()
    add('body', name, lambda: signature.delay([5, 6]), message=message, body=body)


def send(name, signature, **options):
    wire = plain(signature)
    again = canvas.signature(json.loads(json.dumps(wire)), app=app)
    inputs = {'signature': wire}
    if options:
        inputs['options'] = plain(options)
    add('send', name, lambda: again.apply_async(**options), **inputs)


def replace(name, signature, **message):
    wire = plain(signature)
    again = canvas.signature(json.loads(json.dumps(wire)), app=app)

    def call():
        try:
            a.replace(again)
        except Ignore:
            pass
    add('replace', name, call, message=parent(**message), signature=wire)


def shapes():
    s, si = a.s(1), b.si(2)
    g = group(a.s(1), b.s(2))
    yield 'group', g
    yield 'group of one', group(a.s(1))
    yield 'empty group', group()
    yield 'nested group', group(a.s(1), group(b.s(2), a.s(3), group(a.s(4), b.s(5))), a.s(6))
    yield 'group of chains', group(chain(a.s(1), b.s(2)), a.s(3))
    yield 'group of a chain that ends in a group', group(chain(a.s(1), g))
    yield 'group of chords', group(chord(g, join.s()), chord([a.s(9)], join.s()))
    yield 'chord', chord([a.s(1), b.s(2)], join.s())
    yield 'chord of one', chord([a.s(1)], join.s())
    yield 'chord without header', chord([], join.s())
    yield 'chord with a group of nothing', chord([group()], join.s())
    yield 'chord with chain body', chord([a.s(1), b.s(2)], chain(join.s(), a.s(3), b.s(4)))
    yield 'chord with group body', chord([a.s(1), b.s(2)], group(join.s(), done.s()))
    yield 'chord with chord body', chord([a.s(1), b.s(2)], chord([a.s(3), a.s(4)], join.s()))
    yield 'chord with a body chain of chords', chord(
        [a.s(1), b.s(2)], chain(join.s(), chord([a.s(3), a.s(4)], join.s()), b.s(5)))
    yield 'chord with group-led body', chord([a.s(1)], chain(group(a.s(1), b.s(1)), join.s()))
    yield 'nested chord', chord([a.s(1), chord([a.s(2), a.s(3)], join.s(4))], join.s())
    yield 'deeply nested chord', chord(
        [chord([chord([a.s(1), a.s(2)], join.s()), a.s(3)], join.s()), a.s(4)], join.s())
    yield 'chord of chains', chord([chain(a.s(1), b.s(2)), a.s(3)], join.s())
    yield 'chord of a chain that ends in a group', chord([chain(a.s(1), g), a.s(3)], join.s())
    yield 'chord of a chain that ends in a chord', chord([chain(a.s(1), chord([a.s(2)], join.s())), a.s(3)], join.s())
    yield 'chord of a nested group', chord([a.s(1), group(a.s(2), b.s(3), a.s(4))], join.s())
    yield 'chord of a chord with group body', chord([chord([a.s(1)], group(a.s(2), b.s(3))), a.s(4)], join.s())
    yield 'chord of upgraded chain', chord([chain(a.s(1), g, join.s()), a.s(2)], join.s())
    yield 'group then task', chain(g, join.s())
    yield 'task, group, task', chain(s, g, join.s())
    yield 'task, group, task, task', chain(s, g, join.s(), b.s(3))
    yield 'task, group, group, task', chain(s, g, group(a.s(3), b.s(4)), join.s())
    yield 'group, group', chain(g, group(a.s(3), b.s(4)))
    yield 'chord, task', chain(chord(g, join.s()), a.s(5))
    yield 'chord, group', chain(chord(g, join.s()), group(a.s(5), b.s(6)))
    yield 'chord, chord', chain(chord(g, join.s()), chord([a.s(5), b.s(6)], join.s()))
    yield 'chord, chord, chord, task', chain(
        chord(g, join.s()), chord([a.s(5), b.s(6)], join.s()), chord([a.s(7), b.s(8)], join.s()), done.s())
    yield 'task, chord, task', chain(s, chord(g, join.s()), a.s(5))
    yield 'immutable', chain(s, si, group(a.si(1), b.si(2)), join.si())
    yield 'links', chain(s.clone().on_error(err.s()), g, join.s()).on_error(err.s(9))
    linked = chain(s, g, join.s())
    linked.link(done.s())
    yield 'linked chain', linked
    yield 'chord with links', chord([a.s(1), b.s(2)], join.s().on_error(err.s())).set(link=[done.s()])
    yield 'chord with errback', chord([a.s(1), b.s(2)], join.s()).set(link_error=[err.s()])
    yield 'chord with group body and errback', chord([a.s(1)], group(a.s(1), b.s(2))).set(link_error=[err.s()])
    yield 'chord with options', chord([a.s(1), b.s(2)], join.s()).set(priority=3, countdown=5)
    yield 'options of steps', chain(
        a.s(1).set(priority=1), group(a.s(2).set(queue='x'), b.s(3).set(priority=2)), join.s().set(queue='y'))
    yield 'raw chain', canvas._chain(a.s(1), group(a.s(2), b.s(3)), join.s())
    yield 'raw chain of groups', canvas._chain(
        group(a.s(1), b.s(2)), group(a.s(3), b.s(4)), group(a.s(5), b.s(6)), join.s())
    yield 'raw chain, chords', canvas._chain(
        a.s(1), chord([a.s(2)], canvas._chain(join.s(), b.s(3))), group(a.s(4), b.s(5)), join.s())
    yield 'raw chain with empty groups', canvas._chain(group(), a.s(1), group(), b.s(2), group())
    yield 'group of links', group(a.s(1).set(link=[done.s()]), b.s(2).set(link_error=[err.s()]))
    stamped = chord([a.s(1), chain(a.s(2), b.s(3))], join.s())
    stamped.stamp(mark='red')
    yield 'stamped', stamped


def rand(source, depth):
    kind = source.choice(['task', 'task', 'task'] if depth == 0 else ['task', 'chain', 'group', 'chord', 'or', 'raw'])
    if kind == 'task':
        task = source.choice([a, b, join]).s(source.randrange(9))
        if source.random() < 0.15:
            task.immutable = True
        if source.random() < 0.1:
            task.set(link=[done.s()])
        if source.random() < 0.1:
            task.on_error(err.s())
        if source.random() < 0.1:
            task.set(priority=source.randrange(5))
        return task
    parts = [rand(source, depth - 1) for _ in range(source.choice([1, 2, 2, 3]))]
    if kind == 'chain':
        return chain(*parts)
    if kind == 'raw':
        return canvas._chain(*parts)
    if kind == 'group':
        return group(*parts)
    if kind == 'or':
        for part in parts[1:]:
            parts[0] = parts[0] | part
        return parts[0]
    return chord(parts, rand(source, depth - 1))


def main(path):
    for name, shape in shapes():
        send(name, shape)
    send('chord with given options', chord([a.s(1), b.s(2)], join.s()), countdown=7, priority=2)
    send('chord with given links', chord([a.s(1)], group(a.s(1), b.s(2))), link=[done.s()], link_error=[err.s()])
    send('chord with given id', chord([a.s(1)], join.s()), task_id='given')
    send('chain with given options', chain(a.s(1), group(a.s(2), b.s(3)), join.s()), link_error=[err.s()],
         link=[done.s()], task_id='given', priority=4)
    send('group with given options', group(a.s(1), chord([a.s(2)], join.s())), priority=4, countdown=3)
    source = random.Random(20260)
    for index in range(120):
        send(f'random {index}', rand(source, source.choice([2, 2, 3])))
    g = group(a.s(2), b.s(3))
    rest = [plain(done.s().set(task_id='last', reply_to='c')), plain(b.s(4).set(task_id='next', reply_to='c'))]
    body = plain(join.s().set(task_id='outer-body', reply_to='c', group_id='outer'))
    in_chord = {'chord': body, 'group': 'outer', 'group_index': 2}
    links = {'callbacks': [plain(done.s())], 'errbacks': [plain(err.s())]}
    for name, signature in [
        ('task', a.s(2)), ('chain', chain(a.s(2), b.s(3))), ('group', g), ('chain with group', chain(a.s(2), g)),
        ('chord', chord([a.s(2)], join.s())), ('chord with chain body', chord([a.s(2)], chain(join.s(), b.s(1)))),
        ('chord with group body', chord([a.s(2)], group(a.s(3), b.s(1)))),
        ('chain with chord', chain(a.s(1), chord([a.s(2)], join.s()))),
    ]:
        replace(f'replace by {name}', signature)
        replace(f'replace by {name} with links', signature, **links)
        replace(f'replace by {name} in a chain', signature, chain=rest)
        replace(f'replace by {name} in a chord', signature, **in_chord)
        replace(f'replace by {name} in a chord with links', signature, **in_chord, **links)
    with open(path, 'w') as file:
        file.write('[\n' + ',\n'.join(json.dumps(case) for case in cases) + '\n]\n')
    print(len(cases), 'cases')


if __name__ == '__main__':
    main(sys.argv[1])
