#!/usr/bin/env python3
"""Writes vectors.json: what Python, kombu and Celery make of random values and texts.

    python generate.py [SEED [FACTOR]] > vectors.json

The file in the repository is that of the defaults. Needs celery (5.7), which brings python-dateutil.
Floats are kept as the hexadecimal bits of a double. No vector is made where this library refuses on purpose what Python
takes: halves of surrogate pairs, stray characters in base64, damaged dates and times.
"""
import json
import math
import random
import re
import struct
import sys
import uuid
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal

from celery.utils.saferepr import saferepr
from dateutil.parser import isoparse
from kombu.utils.json import dumps, loads

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
factor = float(sys.argv[2]) if len(sys.argv) > 2 else 0.5
rnd = random.Random(seed)

LETTERS = "abcXYZ 019 _-'\"\\/\t\n\r\x08\x0c\x00\x1f\x7f\x80éßöЖ日本\u2028\ufeff\uffff😀𝄞"


def text(limit=12):
    if rnd.random() < 0.1:
        return " ".join("w" * rnd.randrange(1, 9) for _ in range(rnd.randrange(1, 12)))
    return "".join(rnd.choice(LETTERS) for _ in range(rnd.randrange(limit)))


def bits():
    return struct.unpack("<d", struct.pack("<Q", rnd.getrandbits(64)))[0]


def real():
    kind = rnd.randrange(9)
    if kind == 0:
        return rnd.choice([0.0, -0.0, 1.0, -1.5, 1e16, 9999999999999998.0, 1e15, 1e-4, 0.00012, 9.9e-5, 5e-324,
                           1.7976931348623157e308, 2.0**53, 2.0**53 + 2, 2.0**54 - 2, 123456789012345678.0, 0.1])
    if kind == 1:
        return rnd.choice([math.nan, math.inf, -math.inf])
    if kind == 2:
        return float(rnd.randrange(-10**rnd.randrange(1, 20), 10**rnd.randrange(1, 20)))
    if kind == 3:
        return round(rnd.uniform(-1000, 1000), rnd.randrange(5))
    if kind == 4:
        return rnd.randrange(1, 10**rnd.randrange(1, 18)) * 10.0**rnd.randrange(-30, 30)
    return bits()


def offset():
    kind = rnd.randrange(6)
    if kind == 0:
        return None
    if kind == 1:
        return timezone.utc
    if kind == 2:
        return timezone(timedelta(minutes=rnd.randrange(-1439, 1440)))
    if kind == 3:
        return timezone(timedelta(hours=rnd.randrange(-12, 15)))
    if kind == 4:
        return timezone(timedelta(seconds=rnd.randrange(-86399, 86400)))
    return timezone(timedelta(microseconds=rnd.randrange(-86399999999, 86400000000)))


def clock():
    kind = rnd.randrange(4)
    return (rnd.randrange(24), rnd.randrange(60), 0 if kind == 0 else rnd.randrange(60),
            rnd.choice([0, 1, 500000, 999999, rnd.randrange(10**6)]) if kind > 1 else 0)


def day():
    if rnd.random() < 0.1:
        return rnd.choice([date(1, 1, 1), date(9999, 12, 31), date(2000, 2, 29), date(1900, 3, 1), date(1970, 1, 1)])
    return date.fromordinal(rnd.randrange(1, 3652060) if rnd.random() < 0.3 else rnd.randrange(719163, 760000))


def moment():
    return datetime(*day().timetuple()[:3], *clock(), tzinfo=offset())


def decimal():
    kind = rnd.randrange(4)
    if kind == 0:
        return Decimal(rnd.choice(["NaN", "-NaN", "sNaN", "NaN123", "Infinity", "-Infinity", "0", "-0", "0.000", "1E+3"]))
    digits = "".join(rnd.choice("0123456789") for _ in range(rnd.randrange(1, 40)))
    number = rnd.choice(["", "-"]) + digits
    if kind == 1:
        number += "." + str(rnd.randrange(1000))
    if kind == 2:
        number += "E" + str(rnd.randrange(-60, 60))
    return Decimal(number)


def scalar():
    kind = rnd.randrange(14)
    if kind == 0:
        return None
    if kind == 1:
        return rnd.random() < 0.5
    if kind in (2, 3):
        return rnd.randrange(-10**rnd.randrange(1, 25), 10**rnd.randrange(1, 25))
    if kind == 4:
        return rnd.choice([2**63 - 1, 2**63, -2**63, -2**63 - 1, 2**64, 0, -1, 10**30])
    if kind == 5:
        return real()
    if kind == 6:
        return moment()
    if kind == 7:
        return day() if rnd.random() < 0.5 else time(*clock(), tzinfo=offset())
    if kind == 8:
        return decimal()
    if kind == 9:
        return uuid.UUID(int=rnd.getrandbits(128))
    if kind == 10:
        return text().encode() if rnd.random() < 0.5 else bytes(rnd.randrange(256) for _ in range(rnd.randrange(20)))
    return text(30)


def value(depth=0):
    kind = rnd.randrange(10)
    if depth > 5 or kind > 2 + (depth < 2) * 2:
        return scalar()
    if kind % 2:
        return {text(): value(depth + 1) for _ in range(rnd.randrange(5))}
    return [value(depth + 1) for _ in range(rnd.randrange(6))]


def no_surrogates(found):
    """Whether the decoded value can be written in UTF-8 at all."""
    try:
        saferepr(found, maxlevels=0).encode()
        return True
    except UnicodeEncodeError:
        return False


DAMAGEABLE = re.compile("base64|date|time")


def mutated(source):
    """The text with some characters replaced, removed or doubled."""
    characters = list(source)
    for _ in range(rnd.randrange(1, 3)):
        if not characters:
            break
        place = rnd.randrange(len(characters))
        action = rnd.randrange(4)
        if action == 0:
            del characters[place]
        elif action == 1:
            characters.insert(place, rnd.choice('{}[]",:0123456789eE+-.\\utfnNI \t\n\x00aé'))
        elif action == 2:
            characters[place] = rnd.choice('{}[]",:0123456789eE+-.\\utfnNI \t\n\x00aé')
        else:
            characters = characters[:place]
    return "".join(characters)


def json_vector(source):
    try:
        found = loads(source.encode())
        if not no_surrogates(found):
            return None
        return {"text": source, "dumps": dumps(found), "repr": saferepr(found), "argsrepr": saferepr((found,), 1024)}
    except RecursionError:
        return None
    except Exception:
        return {"text": source, "dumps": None, "repr": None, "argsrepr": None}


def loose(found):
    """Another writer's JSON of a value: other blanks, plain UTF-8."""
    return json.dumps(json.loads(dumps(found)), ensure_ascii=False, indent=rnd.choice([None, 1]),
                      separators=rnd.choice([(",", ":"), (" , ", "\t:\r\n")]))


FIXED = [
    "", " ", "1 2", "01", "-", "-0", "-0.0", "1.", ".5", "1e5", "1E+5", "1e-5", "1e400", "-1e400", "1e-400", "0e0", "00",
    "0.1e", "1e+", "+1", "- 1", "NaN", "-NaN", "Infinity", "-Infinity", "-Inf", "nan", "nul", "nulll", "true", "True",
    "[1,]", "[,1]", "[", "]", "[1", "[1 2]", "{", "{}", "{1:2}", '{"a"}', '{"a":}', '{"a":1,}', '{"a":1 "b":2}', "\ufeff1",
    "[1]\ufeff", "\x0b1", "\xa01", '"\x7f"', '"\t"', '"\\x"', '"\\u12"', '"\\u 123"', '"\\u00e9\\u00E9"', '"\\ud83d\\ude00"',
    '"', '"\\', '"\\"', '"a', "'a'", '{"a":1,"b":2,"a":3}', '{"a":{"b":[]},"c":{}}', " \t\r\n[ ] ", "123456789012345678901234567890",
    "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "1" * 4300, "1" * 4301,
    "-" + "1" * 4300, "0.1", "0.30000000000000004", "1.7976931348623157e308", "1.7976931348623159e308", "4.9e-324", "2e-324",
    "123456789012345678901234567890.5", "9007199254740993.0", "1" * 400 + ".0", "0." + "0" * 330 + "1", "1e99999999999999999999",
    "1e-99999999999999999999", "0e99999999999999999999",
    '{"__type__":"datetime","__value__":"2024-02-29T13:14:15Z"}', '{"__value__":"1E3","__type__":"decimal"}',
    '{"__type__":"nothing","__value__":1}', '{"__type__":null,"__value__":1}', '{"__type__":["bytes"],"__value__":1}',
    '{"__type__":"bytes","__value__":"x","more":1}', '{"__type__":"bytes"}', '{"__type__":"bytes","__value__":1}',
    '{"__type__":"bytes","__value__":"x","__type__":"base64","__value__":"eHl6"}', '{"__type__":"base64","__value__":""}',
    '{"__type__":"base64","__value__":"eA"}', '{"__type__":"base64","__value__":"eA=="}', '{"__type__":"base64","__value__":"eHl6CA==\\n"}',
    '{"__type__":"uuid","__value__":{"hex":"12345678123456781234567812345678"}}', '{"__type__":"uuid","__value__":"12345678123456781234567812345678"}',
    '{"__type__":"uuid","__value__":{"hex":"urn:uuid:{12345678-1234-5678-1234-567812345678}"}}', '{"__type__":"uuid","__value__":{"hex":"12"}}',
    '{"__type__":"uuid","__value__":{"int":24197857161011715162171839636988778104}}', '{"__type__":"uuid","__value__":{"int":-1}}',
    '{"__type__":"uuid","__value__":{"int":340282366920938463463374607431768211456}}', '{"__type__":"uuid","__value__":{"int":5,"version":4}}',
    '{"__type__":"uuid","__value__":{"fields":[305419896,4660,22136,18,52,95073701484152]}}', '{"__type__":"uuid","__value__":{"fields":[1,2,3]}}',
    '{"__type__":"uuid","__value__":{"bytes":{"__type__":"bytes","__value__":"0123456789abcdef"}}}', '{"__type__":"uuid","__value__":{}}',
    '{"__type__":"uuid","__value__":{"bytes_le":{"__type__":"bytes","__value__":"0123456789abcdef"}}}',
    '{"__type__":"uuid","__value__":{"fields":[256,65536,1,1,1,1]}}', '{"__type__":"uuid","__value__":{"hex":"12345678123456781234567812345678","int":1}}',
    '{"__type__":"date","__value__":"2024-02-29T13:14:15"}', '{"__type__":"date","__value__":"20240229"}', '{"__type__":"date","__value__":"2023-02-29"}',
    '{"__type__":"time","__value__":"1314"}', '{"__type__":"time","__value__":"24:00"}', '{"__type__":"decimal","__value__":"abc"}',
    '{"__type__":"decimal","__value__":1}', '{"__type__":"datetime","__value__":"yesterday"}', '{"__type__":"datetime","__value__":null}',
]


def json_vectors():
    sources = list(FIXED)
    for _ in range(int(260 * factor)):
        found = value()
        sources.append(dumps(found))
        if rnd.random() < 0.4:
            sources.append(loose(found))
        if rnd.random() < 0.6:
            change = mutated(dumps(found))
            # Damaged base64 and times differ on purpose: they are refused here, while Python takes some of them.
            if not DAMAGEABLE.search(change):
                sources.append(change)
    found = [json_vector(source) for source in sources]
    return [vector for vector in found if vector]


def repr_vectors():
    result = []
    for _ in range(int(400 * factor)):
        found = loads(dumps(value() if rnd.random() < 0.7 else [text(40) for _ in range(rnd.randrange(8))]))
        length, levels = rnd.choice([0, 1, 2, 5, 10, 17, 20, 33, 64, 100]), rnd.choice([0, 1, 2, 3, 3, 4])
        tuple_ = rnd.random() < 0.5 and isinstance(found, list)
        result.append({"text": dumps(found), "tuple": tuple_, "length": length, "levels": levels,
                       "repr": saferepr(tuple(found) if tuple_ else found, length, levels)})
    for found in (["x" * 1500], ["word " * 400], [list(range(2000))], {"k" * 900: "v" * 900}, [b"\xff" * 2000], [b"a" * 2000],
                  ["é" * 1022], ["é" * 1021 + " b"], [["'" * 600] * 2], list(range(300)), ["a" * 1020, [1], {"b": 2}], [10**1100]):
        result.append({"text": dumps(found), "tuple": False, "length": 1024, "levels": 3, "repr": saferepr(found, 1024, 3)})
    return result


def float_vectors():
    result = []
    for _ in range(int(400 * factor)):
        number = real()
        if math.isfinite(number):
            result.append({"bits": struct.pack(">d", number).hex(), "repr": repr(number), "text": repr(number)})
    for _ in range(int(400 * factor)):
        digits = "".join(rnd.choice("0123456789") for _ in range(rnd.randrange(1, 30))).lstrip("0") or "0"
        source = digits + rnd.choice(["", "." + "".join(rnd.choice("0123456789") for _ in range(rnd.randrange(1, 25)))])
        source += rnd.choice(["e", "E", "e+", "e-"]) + str(rnd.randrange(rnd.choice([20, 40, 350])))
        number = float(source)
        result.append({"bits": struct.pack(">d", number).hex(), "repr": repr(number), "text": source})
    return result


def outcome(function, source):
    try:
        return function(source).isoformat()
    except Exception:
        return None


def date_text():
    found = moment()
    style = rnd.randrange(9)
    if style == 0:
        return found.isoformat()
    if style == 1:
        return found.isoformat().replace("T", rnd.choice(" t_x-"))
    if style == 2:
        return found.replace(tzinfo=None).isoformat() + rnd.choice(["Z", "z", "+01", "-0330", "+05:30", "+00:00", "-00:00"])
    if style == 3:
        return f"{found.year:04}{found:%m%dT%H%M%S}" + rnd.choice(["", ".5", ",25Z", "+0130", "-11", "+013015"])
    if style == 4:
        iso = found.isocalendar()
        return rnd.choice([f"{iso[0]:04}-W{iso[1]:02}-{iso[2]}", f"{iso[0]:04}W{iso[1]:02}{iso[2]}", f"{iso[0]:04}-W{iso[1]:02}"]) \
            + rnd.choice(["", "T" + found.time().isoformat()])
    if style == 5:
        return f"{found:%Y}-{found:%j}" + rnd.choice(["", "T10", "T1011", "T10:11:12,5Z"])
    if style == 6:
        return found.isoformat()[:rnd.choice([4, 7, 10, 11, 13, 16, 19])]
    if style == 7:
        return found.isoformat().replace(".", ",") + rnd.choice(["", "0", "123", " "])
    # Half a pair of digits passes in Python as one digit; it is a damaged text, and refused here.
    return re.sub(r"(?<=[0-9])[0-9](?=[^0-9])", rnd.choice("x:-+"), found.isoformat(), count=1)


def date_vectors():
    result = []
    fixed = ["2024-02-29T24:00", "2024-02-29T24:00:00.000", "2024-02-29T24:01", "9999-12-31T24:00", "2024-02-29T25:00", "2024",
             "2024-02", "202402", "20240229", "2024-060", "2024060", "2023-366", "2024-366", "2024-000", "2024-W53", "2024-W54",
             "2020-W53-7", "0001-W01-1", "9999-W52-5", "9999-W53-7", "0000-01-01", "2024-02-30", "2024-13-01", "2024-02-29T",
             "2024-02-29T1", "2024-02-29T10:60", "2024-02-29T10:10:60", "2024-02-29T10:1112", "2024-02-29T1011:12", "2024-02-29T10:11:12.",
             "2024-02-29T10:11:12.1234567", "2024-02-29T10:11:12+24:00", "2024-02-29T10:11:12+23:59", "2024-02-29T10:11:12-23:59:59",
             "2024-02-29T10:11:12+0", "2024-02-29T10:11:12+", "2024-02-29TZ", "0001-01-01T00:00:00+14:00", "", "T10:11"]
    for source in fixed + [date_text() for _ in range(int(400 * factor))]:
        if any(ord(character) > 126 for character in source):
            continue
        accepted = [found for found in (outcome(isoparse, source), outcome(datetime.fromisoformat, source)) if found]
        result.append({"text": source, "iso": accepted[0] if accepted else None})
    return result


def time_vectors():
    result = []
    for _ in range(int(100 * factor)):
        source = time(*clock(), tzinfo=offset()).isoformat()
        source = rnd.choice([source, source.replace(":", ""), "T" + source, source[:5], source[:2], "x" + source, source + "0x"])
        result.append({"text": source, "iso": outcome(time.fromisoformat, source)})
    return result


def decimal_vectors():
    result = []
    fixed = ["", " 1 ", "1_000", ".5", "5.", ".", "1e5", "1E-7", "0.000001", "0.0000001", "0e5", "0E-10", "00012.500", "+1", "--1", "1e",
             "inf", "-Infinity", "infinit", "nan", "NaN00012", "sNaN", "snan5", "-nan", "1 2", "0x10", "1e999999999999999999",
             "1e1000000000000000000", "1e99999999999999999999", "1e-999999999999999999", "12345678901234567890123456789012345678901234567890"]
    for source in fixed + [str(decimal()) for _ in range(int(100 * factor))] + [mutated(str(decimal())) for _ in range(int(100 * factor))]:
        try:
            result.append({"text": source, "decimal": str(Decimal(source))})
        except Exception:
            result.append({"text": source, "decimal": None})
    return result


groups = {
    "json": json_vectors(),
    "repr": repr_vectors(),
    "floats": float_vectors(),
    "dates": date_vectors(),
    "times": time_vectors(),
    "decimals": decimal_vectors(),
}
print("{")
print(",\n".join(f'"{name}": [\n' + ",\n".join(json.dumps(vector) for vector in vectors) + "\n]"
                 for name, vectors in groups.items()))
print("}")
