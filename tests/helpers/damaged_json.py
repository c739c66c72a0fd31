"""JSON texts with one fault each: a value of another type, a key that is missing or twice, a literal in an odd form, broken bytes."""

import json
import random

# one literal or more of every JSON type, and forms of numbers and texts that readers may take for one another
LITERALS = (
    *("null", "true", "false", "{}", "[]", '""', '"text"', '"1"', '"NaN"', '"\\ud800"'),
    *("0", "1", "2", "-1", "3", "7", "0.5", "-0", "-0.0", "1.0", "3.0", "1e0", "2E0", "10e-1", "1e999"),
    *("-1e999", "1e-999", "NaN", "Infinity", "-Infinity", "9007199254740993", "1234567890123456"),
    *("1" + "0" * 400, "01", "+1", ".5", "1.", "0x1", "[[]]", "[[[]]]", '{"a": 1}', "[1, [2]]"),
    *("[[0.5]]", "[[[0.5]]]", "[null]", '["a", 1]', "[" * 50 + "]" * 50, "[" * 5000 + "]" * 5000),
    *('{"a":' * 5000 + "1" + "}" * 5000, '"' + "a" * 200 + '"', "'a'", "undefined", '"\t"', "/**/1"),
)  # fmt: skip
BYTES = (b"\xef\xbb\xbf", b"\xff", b"\x00", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc2\xa0",
         b"\xe2\x80\xa8", b"\x0b", b"\x0c", b" \t\r\n", b",", b"]", b"}", b'"', b"//", b"\xc3\xa9")  # fmt: skip
FAULTS = (
    "replace",
    "replace",
    "replace",
    "delete",
    "repeat",
    "repeat other",
    "rename",
    "swap",
    "bytes",
    "cut",
    "none",
)


def places_in(value, so_far=()):
    """Yield the place of every value in nested lists and dicts, as a tuple of keys and indices."""
    yield so_far
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places_in(item, (*so_far, key))


def _write(value, place, fault, rng):
    """Return a value as JSON, with the fault at the place, which is () where the fault is here."""
    if place is None or (place == () and fault in ("none", "bytes", "cut")):
        return json.dumps(value)
    if place == ():
        return rng.choice(LITERALS)
    entries = []
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        name = f"{json.dumps(key)}: " if isinstance(value, dict) else ""
        if key != place[0]:
            entries.append(name + json.dumps(item))
        elif len(place) > 1:
            entries.append(name + _write(item, place[1:], fault, rng))
        elif fault == "replace":
            entries.append(name + rng.choice(LITERALS))
        elif fault == "repeat":
            entries += [name + json.dumps(item)] * 2
        elif fault == "repeat other":
            entries += [name + rng.choice(LITERALS), name + json.dumps(item)][
                :: rng.choice((1, -1))
            ]
        elif fault == "rename":
            other = rng.choice(
                ['"__proto__"', '"constructor"', '"more"', '""', json.dumps(str(key).upper())]
            )
            entries.append((f"{other}: " if name else "") + json.dumps(item))
        elif fault == "swap":
            entries.insert(0, name + json.dumps(item))
        elif fault != "delete":
            entries.append(name + json.dumps(item))
    return "{" + ", ".join(entries) + "}" if isinstance(value, dict) else f"[{', '.join(entries)}]"


def damaged(document, seed):
    """Return the bytes of a document with one fault, at a place and of a kind that the seed chooses.

    Places near the root are as likely as those in long lists of numbers. Some faults change nothing that counts.
    """
    rng = random.Random(seed)
    places = list(places_in(document))
    depth = rng.choice(sorted({len(place) for place in places}))
    place = rng.choice([place for place in places if len(place) == depth])
    fault = rng.choice(FAULTS)
    content = _write(document, place, fault, rng).encode("utf-8", "surrogatepass")
    if fault == "bytes":
        # between two tokens, or in a text
        at = rng.choice(
            [n for n, byte in enumerate(content) if byte in b' ",:[{'] + [0, len(content)]
        )
        content = content[:at] + rng.choice(BYTES) + content[at:]
    return content[: rng.randrange(len(content))] if fault == "cut" else content
