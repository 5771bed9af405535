# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Checking parameters: what `tables` declares, typed values come out, Stripe's 400 otherwise."""

import re

from .errors import invalid

# ---- declaring ------------------------------------------------------------------------------


def string(most=5000):
    return {"type": "string", "max": most}


def one_of(*words):
    return {"type": "enum", "words": words}


def obj(required=(), /, **fields):
    return {"type": "object", "fields": fields, "required": tuple(required)}


def array(of, most=None):
    return {"type": "array", "of": of, "max": most}


def either(*kinds):
    return {"type": "either", "kinds": kinds}


def clearable(kind):
    """An empty value unsets."""
    return {**kind, "clear": True}


STRING = string()
TEXT = clearable(STRING)
INTEGER = {"type": "integer"}
NUMBER = {"type": "number"}
BOOLEAN = {"type": "boolean"}
TIME = {"type": "integer", "time": True}
CURRENCY = {"type": "currency"}
EMAIL = {"type": "email"}
URL = {"type": "url"}
METADATA = {"type": "metadata"}
CLEARABLE_METADATA = clearable(METADATA)
ANY_MAP = {"type": "map"}

# ---- checking -------------------------------------------------------------------------------

_INTEGER = re.compile(r"[+-]?\d{1,18}")
_EMAIL = re.compile(r"[^@\s<>\"]+@[^@\s<>\"]+\.[^@\s<>\".]+")
_URL = re.compile(r"https?://[^\s/?#]+\S*", re.I)


def check(table, tree):
    """Return typed parameters of one call. `table` is an object declaration of `tables`."""
    return _object(table, tree, "")


def _name(path, key):
    return f"{path}[{key}]" if path else key


def _object(kind, value, path):
    if not isinstance(value, dict):
        raise invalid("Invalid object", param=path)
    for key in value:
        if key not in kind["fields"]:
            where = _name(path, key)
            raise invalid(f"Received unknown parameter: {where}", where, "parameter_unknown")
    for key in kind["required"]:
        if key not in value:
            where = _name(path, key)
            raise invalid(f"Missing required param: {where}.", where, "parameter_missing")
    return {key: _value(kind["fields"][key], item, _name(path, key))
            for key, item in value.items()}


def _value(kind, value, path):
    if value == "":
        if kind.get("clear"):
            return ""
        raise invalid(
            f"You passed an empty string for '{path}'. We assume empty values are an attempt to "
            f"unset a parameter; however '{path}' cannot be unset. You should remove '{path}' "
            "from your request or supply a non-empty value.", path, "parameter_invalid_empty")
    return _CHECKS[kind["type"]](kind, value, path)


def _array(kind, value, path):
    if not isinstance(value, dict) or not all(key.isdigit() for key in value):
        raise invalid("Invalid array", param=path)
    items = [_value(kind["of"], value[key], f"{path}[{index}]")
             for index, key in enumerate(sorted(value, key=int))]
    if kind["max"] and len(items) > kind["max"]:
        raise invalid(f"Array {path} exceeded maximum {kind['max']} allowed elements.", path)
    return items


def _scalar(value, path, word):
    if isinstance(value, dict):
        raise invalid(f"Invalid {word}: a hash was passed for {path}", param=path)
    return value


def _string(kind, value, path):
    value = _scalar(value, path, "string")
    if len(value) > kind["max"]:
        raise invalid(f"Invalid string: {value[:12]}...{value[-6:]}; must be at most "
                      f"{kind['max']} characters", param=path)
    if "\0" in value:
        raise invalid("Invalid string: must not contain a null byte", param=path)
    return value


def _integer(kind, value, path):
    value = _scalar(value, path, "integer")
    if not _INTEGER.fullmatch(value):
        raise invalid(f"Invalid integer: {value}", path, "parameter_invalid_integer")
    return int(value)


def _number(kind, value, path):
    value = _scalar(value, path, "decimal")
    try:
        return float(value)
    except ValueError:
        raise invalid(f"Invalid decimal: {value}", path) from None


def _boolean(kind, value, path):
    if value not in ("true", "false"):
        raise invalid(f"Invalid boolean: {value}", param=path)
    return value == "true"


def _enum(kind, value, path):
    if value not in kind["words"]:
        words = kind["words"]
        listed = ", ".join(words[:-1]) + (f", or {words[-1]}" if len(words) > 1 else words[-1])
        raise invalid(f"Invalid {path}: must be one of {listed}", param=path)
    return value


def _currency(kind, value, path):
    value = _scalar(value, path, "currency").lower()
    if not re.fullmatch(r"[a-z]{3}", value):
        raise invalid(f"Invalid currency: {value}.", param=path)
    return value


def _email(kind, value, path):
    if len(_scalar(value, path, "email")) > 512 or not _EMAIL.fullmatch(value):
        raise invalid(f"Invalid email address: {value}", path, "email_invalid")
    return value


def _url(kind, value, path):
    if len(_scalar(value, path, "url")) > 5000 or not _URL.fullmatch(value):
        raise invalid("Not a valid URL", path, "url_invalid")
    return value


def _metadata(kind, value, path):
    if not isinstance(value, dict):
        raise invalid("Invalid object", param=path)
    if len(value) > 50:
        raise invalid("Metadata can have up to 50 keys.", param=path)
    for key, item in value.items():
        if isinstance(item, dict):
            raise invalid("Metadata values must be strings.", param=_name(path, key))
        if len(key) > 40:
            raise invalid(f"Metadata keys must be at most 40 characters, {key[:12]}... is "
                          f"{len(key)}.", param=path)
        if len(item) > 500:
            raise invalid(f"Metadata values can have up to 500 characters, but you passed in a "
                          f"value that is {len(item)} characters.", param=_name(path, key))
    return dict(value)


def _map(kind, value, path):
    if not isinstance(value, dict):
        raise invalid("Invalid object", param=path)
    return value


def _either(kind, value, path):
    error = None
    for each in kind["kinds"]:
        try:
            return _value(each, value, path)
        except Exception as problem:  # the first complaint is the one to show
            error = error or problem
    raise error


_CHECKS = {"array": _array, "boolean": _boolean, "currency": _currency, "either": _either,
           "email": _email, "enum": _enum, "integer": _integer, "map": _map,
           "metadata": _metadata, "number": _number, "object": _object, "string": _string,
           "url": _url}


def merge_metadata(into, change):
    """Apply a metadata parameter: an empty value drops a key, an empty map drops all."""
    if change is None:
        return
    if change == "":
        into.clear()
        return
    for key, value in change.items():
        if value == "":
            into.pop(key, None)
        else:
            into[key] = value
