# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Holding requests and objects against the reduced specification, where it lies beside us.

The specification is not part of this project; `missing()` says why nothing can be checked. Form
values are strings, so requests are checked as what they would parse to. Objects are closed: a
property that no schema lists is a problem, except in maps and where the reduction says it pruned.
"""

import functools
import json
import pathlib
import re

_PATH = pathlib.Path(__file__).resolve().parents[3] / "shared" / "stripe" / \
    "openapi.reduced.json"
_ROOT = "#/components/schemas/"
_INTEGER = re.compile(r"-?\d+")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def missing():
    """Why the specification cannot be used, or None."""
    return None if _PATH.is_file() else f"no specification at ../shared/stripe/{_PATH.name}"


@functools.lru_cache(maxsize=None)
def spec():
    """The specification; FileNotFoundError when it is absent."""
    return json.loads(_PATH.read_text(encoding="utf-8"))


def _schema(name):
    return spec()["components"]["schemas"][name]


def _resolved(schema):
    while "$ref" in schema:
        schema = {**_schema(schema["$ref"].removeprefix(_ROOT)),
                  **({"nullable": True} if schema.get("nullable") else {})}
    return schema


# ---- requests -------------------------------------------------------------------------------


@functools.lru_cache(maxsize=None)
def _operations():
    found = []
    for path, methods in spec()["paths"].items():
        pattern = re.compile(re.sub(r"\{\w+\}", "[^/]+", path))
        for method, operation in methods.items():
            found.append((path.count("{"), method.upper(), pattern, operation))
    return sorted(found, key=lambda each: each[0])


def operation(method, path):
    """The operation of a call, or None."""
    for _, known, pattern, found in _operations():
        if known == method.upper() and pattern.fullmatch(path):
            return found
    return None


def check_request(method, path, params):
    """Problems of one request; `params` as the double logs them (strings, lists, maps)."""
    found = operation(method, path)
    if found is None:
        return [f"{method} {path}: no such operation"]
    query = [each for each in found.get("parameters", []) if each["in"] == "query"]
    fields = {each["name"]: each["schema"] for each in query}
    needed = {each["name"] for each in query if each.get("required")}
    for content in found.get("requestBody", {}).get("content", {}).values():
        body = _resolved(content["schema"])
        fields.update(body.get("properties", {}))
        needed.update(body.get("required", []))
    problems = [f"{name}: missing" for name in sorted(needed - set(params or {}))]
    for name, value in (params or {}).items():
        if name not in fields:
            problems.append(f"{name}: unknown parameter")
        else:
            problems += _form(fields[name], value, name)
    return problems


def _form(schema, value, where):
    schema = _resolved(schema)
    if "anyOf" in schema:
        every = [_form(each, value, where) for each in schema["anyOf"]]
        return [] if any(not each for each in every) else min(every, key=len)
    kind = schema.get("type")
    if kind == "object":
        return _form_object(schema, value, where)
    if kind == "array":
        if not isinstance(value, list):
            return [f"{where}: not an array"]
        return [problem for index, each in enumerate(value)
                for problem in _form(schema["items"], each, f"{where}[{index}]")]
    if not isinstance(value, str):
        return [f"{where}: not a scalar"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{where}: {value!r} is not one of its words"]
    patterns = {"integer": _INTEGER, "number": _NUMBER,
                "boolean": re.compile("true|false")}
    if kind in patterns and not patterns[kind].fullmatch(value):
        return [f"{where}: {value!r} is no {kind}"]
    if len(value) > schema.get("maxLength", 1 << 30):
        return [f"{where}: longer than {schema['maxLength']}"]
    return []


def _form_object(schema, value, where):
    if not isinstance(value, dict):
        return [f"{where}: not an object"]
    fields, free = schema.get("properties", {}), schema.get("additionalProperties")
    problems = [f"{where}[{name}]: missing" for name in schema.get("required", [])
                if name not in value]
    for name, each in value.items():
        if name in fields:
            problems += _form(fields[name], each, f"{where}[{name}]")
        elif isinstance(free, dict):
            problems += _form(free, each, f"{where}[{name}]")
        elif fields and not free:
            problems.append(f"{where}[{name}]: unknown parameter")
    return problems


# ---- objects --------------------------------------------------------------------------------


def check_object(thing, schema=None, where=None):
    """Problems of one object; its schema is named by its `object` unless given."""
    name = schema or thing.get("object")
    if name in ("list", "search_result"):
        return [problem for index, each in enumerate(thing["data"])
                for problem in check_object(each, where=f"{where or name}.data[{index}]")]
    if thing.get("deleted") and f"deleted_{name}" in spec()["components"]["schemas"]:
        name = f"deleted_{name}"
    if name not in spec()["components"]["schemas"]:
        return [f"{name}: no such schema"]
    return _value(_schema(name), thing, where or name)


def check_event(event):
    """Problems of an event and of the object it carries."""
    problems = check_object(event, "event")
    known = _schema("event")
    if event["type"] not in known["x-event-types"]:
        problems.append(f"{event['type']}: no such event type")
    inside = check_object(event["data"]["object"], where=event["type"])
    if event["type"] == "invoice.upcoming":  # the one object that has no id
        inside = [each for each in inside if not each.endswith(".id: missing")
                  and not each.endswith("].invoice: null")]
    expected = known["x-event-objects"].get(event["type"])
    if expected and event["data"]["object"].get("object") not in expected.split("|"):
        problems.append(f"{event['type']}: carries {event['data']['object'].get('object')}")
    if "previous_attributes" in event["data"] and not event["type"].endswith(".updated"):
        problems.append(f"{event['type']}: previous_attributes")
    return problems + inside


def _value(schema, value, where):
    nullable = schema.get("nullable")
    schema = _resolved(schema)
    if value is None:
        return [] if nullable or schema.get("nullable") else [f"{where}: null"]
    if "anyOf" in schema:
        every = [_value(each, value, where) for each in schema["anyOf"]]
        return [] if any(not each for each in every) else min(every, key=len)
    kind = schema.get("type")
    if kind == "object":
        return _object(schema, value, where)
    if kind == "array":
        if not isinstance(value, list):
            return [f"{where}: not an array"]
        return [problem for index, each in enumerate(value)
                for problem in _value(schema["items"], each, f"{where}[{index}]")]
    good = {"string": isinstance(value, str), "boolean": isinstance(value, bool),
            "integer": isinstance(value, int) and not isinstance(value, bool),
            "number": isinstance(value, (int, float)) and not isinstance(value, bool)}
    if kind in good and not good[kind]:
        return [f"{where}: {value!r} is no {kind}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{where}: {value!r} is not one of its words"]
    return []


def _object(schema, value, where):
    if not isinstance(value, dict):
        return [f"{where}: not an object"]
    fields, free = schema.get("properties", {}), schema.get("additionalProperties")
    pruned = any(key.startswith("x-pruned") for key in schema)
    problems = [f"{where}.{name}: missing" for name in schema.get("required", [])
                if name not in value]
    for name, each in value.items():
        if name in fields:
            problems += _value(fields[name], each, f"{where}.{name}")
        elif isinstance(free, dict):
            problems += _value(free, each, f"{where}.{name}")
        elif fields and not free and not pruned:
            problems.append(f"{where}.{name}: unknown property")
    return problems
