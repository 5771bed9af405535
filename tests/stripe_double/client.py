# Licensed under the Apache License, Version 2.0; see LICENSE.
"""A plain client of Stripe's v1 API, for tests: nested parameters in, status and JSON out."""

import json
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass


@dataclass
class Reply:
    """One answer. `body` is the decoded JSON; indexing reads it."""

    status: int
    headers: dict
    body: dict

    def __getitem__(self, key):
        return self.body[key]

    @property
    def error(self):
        return self.body.get("error")


def flat(params, prefix=""):
    """Nested parameters as the pairs of a form: `a[b][0]=c`."""
    pairs = []
    items = enumerate(params) if isinstance(params, (list, tuple)) else params.items()
    for key, value in items:
        name = f"{prefix}[{key}]" if prefix else key
        if isinstance(value, (dict, list, tuple)) and value:
            pairs += flat(value, name)
        else:
            text = {True: "true", False: "false", None: ""}.get(value, value) \
                if isinstance(value, (bool, type(None))) else value
            pairs.append((name, "" if isinstance(text, (dict, list, tuple)) else str(text)))
    return pairs


class Client:
    """Calls the API at `url` with `key`; never raises for an error status."""

    def __init__(self, url, key="sk_test_double0001", timeout=15.0):
        self.url = url
        self.key = key
        self.timeout = timeout
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def __call__(self, method, path, params=None, **headers):
        encoded = urllib.parse.urlencode(flat(params or {}))
        url = self.url + path
        if method == "POST":
            data = encoded.encode("ascii")
        else:
            data, url = None, f"{url}?{encoded}" if encoded else url
        request = urllib.request.Request(url, data=data, method=method)
        if self.key:
            request.add_header("Authorization", f"Bearer {self.key}")
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        try:
            answer = self._opener.open(request, timeout=self.timeout)
        except urllib.error.HTTPError as problem:
            answer = problem
        with answer:
            return Reply(answer.status, dict(answer.headers), json.load(answer))

    def get(self, path, params=None, **headers):
        return self("GET", path, params, **headers)

    def post(self, path, params=None, **headers):
        return self("POST", path, params, **headers)

    def delete(self, path, params=None, **headers):
        return self("DELETE", path, params, **headers)
