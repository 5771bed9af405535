# Licensed under the Apache License, Version 2.0; see LICENSE.
"""docs/openapi.json as a judge: whatever a route answers has to be described there."""
import contextlib
import itertools
import json
from pathlib import Path

import httpx
import jsonschema

from harness.client import Client

SPEC = json.loads((Path(__file__).resolve().parents[2] / "docs" / "openapi.json").read_text())


_addresses = itertools.count(2)


@contextlib.contextmanager
def another_address(site):
    """site.client comes from a loopback address of its own for the time of the block."""
    number = next(_addresses)
    transport = httpx.HTTPTransport(local_address=f"127.1.{number // 250}.{number % 250 + 1}")
    before, site._client = site._client, Client(site.url, transport=transport)
    try:
        yield
    finally:
        site._client.close()
        site._client = before


def _resolved(node):
    while "$ref" in node:
        target = SPEC
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        node = target
    return node


def described(path, method, answer):
    """Asserts that the answer's status, type, headers and document are those of the description.

    path: as in the description ("/webhook/{uuid}"). Returns the document, or the text of a page.
    """
    operation = SPEC["paths"][path][method.lower()]
    status = str(answer.status_code)
    assert status in operation["responses"], f"{method} {path}: {status} {answer.text[:300]}"
    response = _resolved(operation["responses"][status])
    for header in response.get("headers", {}):
        assert header in answer.headers, f"{method} {path}: {status} without {header}"
    content = response.get("content")
    if not content or not answer.content:
        return answer.text
    kind = answer.headers["Content-Type"].split(";")[0]
    assert kind in content, f"{method} {path}: {status} is {kind}"
    if not kind.endswith("json"):
        return answer.text
    document = answer.json()
    schema = {**content[kind]["schema"], "components": SPEC["components"]}
    jsonschema.Draft202012Validator(schema).validate(document)
    return document


def problem(path, method, answer, status, code):
    """The same for a refusal, with the exact status and code."""
    assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text[:400]}"
    document = described(path, method, answer)
    assert (document["code"], document["status"]) == (code, status)
    return document
