# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Form bodies and query strings with Stripe's brackets: `items[0][price]=…`, `expand[]=…`."""

import re
from urllib.parse import unquote_to_bytes

from .errors import invalid

_SEGMENT = re.compile(r"\[([^\[\]]*)\]")


def _text(raw):
    try:
        return unquote_to_bytes(raw.replace("+", " ")).decode("utf-8")
    except UnicodeDecodeError:
        raise invalid("Invalid UTF-8 in request parameters.") from None


def _segments(name):
    head, bracket, rest = name.partition("[")
    if not bracket:
        return [name]
    parts = _SEGMENT.findall("[" + rest)
    if "".join(f"[{part}]" for part in parts) != "[" + rest:
        raise invalid(f"Invalid parameter name: {name}", param=name)
    return [head, *parts]


def decode(raw):
    """Decode a form into a tree of dicts whose leaves are strings.

    `a[]=x` gets the next free index; arrays stay dicts keyed by digits until the parameter table
    says that an array is wanted (a metadata key may be all digits too).
    """
    tree = {}
    for pair in raw.split("&"):
        if not pair:
            continue
        name, _, value = pair.partition("=")
        node, parts = tree, _segments(_text(name))
        for index, part in enumerate(parts):
            if part == "":
                part = str(len(node))
            if index == len(parts) - 1:
                if isinstance(node.get(part), dict):
                    raise invalid(f"Invalid parameter: {_text(name)}", param=parts[0])
                node[part] = _text(value)
            else:
                node = node.setdefault(part, {})
                if not isinstance(node, dict):
                    raise invalid(f"Invalid parameter: {_text(name)}", param=parts[0])
    return tree


def readable(tree, under=None):
    """The tree with arrays as lists, for logs and checks. Maps of free keys stay maps."""
    if not isinstance(tree, dict):
        return tree
    if under not in ("metadata", "payload") and tree and all(k.isdigit() for k in tree):
        return [readable(tree[k]) for k in sorted(tree, key=int)]
    return {k: readable(v, k) for k, v in tree.items()}
