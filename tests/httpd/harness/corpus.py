# Licensed under the Apache License, Version 2.0; see LICENSE.
"""The requests of tests/gate/requests, sent to the four doors by four people, and the verdict.

A file is a class: {"about", "requests": [item, …]}. An item:

    name        unique in its class                  method, target, version   GET, {page}, HTTP/1.1
    headers     [[name, value], …]                   body      sent with its Content-Length
    raw         the whole request instead, for HTTP/1; {login} is the Authorization line or nothing
    pipeline    [{"as": person, …item}, …] in one go over one connection
    login       "name:password" of a stranger in place of the four people
    trailers    [[name, value], …], HTTP/2           pseudo    {":path": …} in place of the usual
    doors, over the doors and protocols it is for; without them all
    paid        what the payer gets: "bytes" of the protected file, a status, or "skip": not asked
    open        everybody gets the public bytes
    harmless    statuses that say nothing of the file although they look like success

{page} {base} {door} {dav} {up} {host} {port} stand for the door's own. Text is Latin-1: one
character, one byte.

A stranger's answer is a leak when it holds a byte pair of the protected file, succeeds, tells about
the file (304, 412, 416, validators), may be kept by a cache, or when the application behind heard of
the request. A payer's answer is wrong when a shared cache might keep it.
"""
import base64
import json
import re

from . import doors, scratch, wire

FOLDER = scratch.ROOT / "tests" / "gate" / "requests"

PEOPLE = {"anonymous": None, "free": "alice:alice", "expired": "dave:dave", "paid": "bob:bob"}

# They speak of one connection, or mean something else in HTTP/2.
_HOP = {"connection", "host", "transfer-encoding", "upgrade", "keep-alive", "http2-settings", "expect",
        "proxy-connection", "content-length"}

_PIECES = re.compile(b"|".join(re.escape((doors.MARK * 2)[at:at + 2]) for at in range(len(doors.MARK))))
_TELLING = ("etag", "last-modified", "content-range")


def classes():
    return [path.stem for path in sorted(FOLDER.glob("*.json"))]


def protocols():
    """mod_http2 refuses to work with prefork."""
    return ("h1",) if scratch.MPM == "prefork" else ("h1", "h2")


def items(name):
    return json.loads((FOLDER / f"{name}.json").read_text())["requests"]


def distinct():
    """How many requests there are before doors, people and protocols multiply them."""
    seen = set()
    for name in classes():
        seen |= {json.dumps({key: value for key, value in item.items() if key != "name"}, sort_keys=True)
                 for item in items(name)}
    return len(seen)


def holds_protected(data):
    return bool(_PIECES.search(data))


class Runner:
    """Sends items to one site and collects what is wrong as sentences.

    site: a running Site with doors.conf(); vault: the application behind the proxied door."""

    def __init__(self, site, vault):
        self.site, self.vault = site, vault
        self.sent = 0
        self._lines = {}
        self._streams = None
        doors.write_dav(site.root)
        self._pristine = doors.dav_files(site.root)

    def close(self):
        for line in self._lines.values():
            line.close()
        if self._streams:
            self._streams.close()
        self._lines, self._streams = {}, None

    # --- choosing ----------------------------------------------------------------------------

    @staticmethod
    def chosen(name, door, over):
        """The items of a class that this door and protocol are asked."""
        for item in items(name):
            default = doors.DAV if name == "dav" else doors.DOORS
            if door not in item.get("doors", default) or over not in item.get("over", ["h1", "h2"]):
                continue
            names = {key.lower() for key, _ in item.get("headers", [])}
            if over == "h2" and "over" not in item and \
                    (item.keys() & {"raw", "pipeline", "version"} or names & _HOP):
                continue
            yield item

    def run(self, name, door, over, enough=None, matters=None):
        """What is wrong in one class at one door; enough: stop after so many; matters: whether a sentence
        counts, by default all do."""
        wrong = []
        for item in self.chosen(name, door, over):
            if enough and len(wrong) >= enough:
                break
            try:
                said = list(self._item(item, door, over))
            except TimeoutError:
                said = ["no answer comes"]
                self.close()
            wrong += [f"{name}/{item['name']} {door} {over}: {what}" for what in said
                      if not matters or matters(what)]
        self.close()
        return wrong

    def _people(self, item):
        if "login" in item:
            return {"stranger": item["login"]}
        return {who: login for who, login in PEOPLE.items()
                if who != "paid" or item.get("paid") != "skip"}

    def _item(self, item, door, over):
        if "pipeline" in item:
            yield from self._pipeline(item, door)
            return
        people = self._people(item)
        if over == "h2" and not self._touches_files(item):
            yield from self._streamed(item, door, people)
            return
        for who, login in people.items():
            heard = len(self.vault.requests)
            if "raw" in item:
                answers = self._raw(item, door, login)
                yield from self._judge_raw(item, who, answers)
            elif over == "h2":
                yield from self._judge(item, who, self._over_h2([(item, door, login)])[0])
            else:
                line = self._lines.setdefault(who, wire.Line(self.site.port))
                answer = line.send(self.request(item, door, login), item.get("method", "GET"))
                self.sent += 1
                yield from self._judge(item, who, answer)
            yield from self._side_effects(item, who, heard)

    # --- sending -------------------------------------------------------------------------------

    def fill(self, text, door, login=None):
        base = doors.BASE[door]
        part = doors.DAV.get(door, door)
        line = f"Authorization: {self._credentials(login)}\r\n" if login else ""
        for key, value in {"page": f"{base}/paid.html", "base": base, "door": door, "login": line,
                           "dav": f"/davs/{part}/inner", "up": f"/davs/{part}",
                           "host": f"127.0.0.1:{self.site.port}", "port": str(self.site.port)}.items():
            text = text.replace("{" + key + "}", value)
        return text

    @staticmethod
    def _credentials(login):
        return "Basic " + base64.b64encode(login.encode("latin-1")).decode()

    def _headers(self, item, door, login):
        found = [(name, self.fill(value, door)) for name, value in item.get("headers", [])]
        if login and "authorization" not in {name.lower() for name, _ in found}:
            found.append(("Authorization", self._credentials(login)))
        return found

    def request(self, item, door, login):
        """An item as bytes of HTTP/1."""
        headers = self._headers(item, door, login)
        names = {name.lower() for name, _ in headers}
        version = item.get("version", "HTTP/1.1")
        lines = [f"{item.get('method', 'GET')} {self.fill(item.get('target', '{page}'), door)} {version}"]
        if "host" not in names and version != "HTTP/1.0":
            lines.append(f"Host: 127.0.0.1:{self.site.port}")
        lines += [f"{name}: {value}" for name, value in headers]
        body = item.get("body", "").encode("latin-1")
        if body:
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + body

    def _raw(self, item, door, login):
        self.sent += 1
        return wire.talk(self.site.port, self.fill(item["raw"], door, login).encode("latin-1"))

    def _over_h2(self, wanted):
        self._streams = self._streams or wire.Streams(self.site.port)
        requests = []
        for item, door, login in wanted:
            pseudo = {":method": item.get("method", "GET"), ":scheme": "http",
                      ":authority": f"127.0.0.1:{self.site.port}",
                      ":path": item.get("target", "{page}"), **item.get("pseudo", {})}
            headers = [(name, self.fill(value, door)) for name, value in pseudo.items()
                       if value is not None]
            headers += [(name.lower(), value) for name, value in self._headers(item, door, login)]
            trailers = [(name, value.replace("{payer}", self._credentials(PEOPLE["paid"])))
                        for name, value in item.get("trailers", [])]
            requests.append((headers, item.get("body", "").encode("latin-1"), trailers))
        self.sent += len(requests)
        return self._streams.send(requests)

    def _streamed(self, item, door, people):
        """The strangers' streams beside each other, then the payer's: what the application hears
        meanwhile is theirs."""
        for group in ([who for who in people if who != "paid"], [who for who in people if who == "paid"]):
            heard = len(self.vault.requests)
            answers = self._over_h2([(item, door, people[who]) for who in group])
            for who, answer in zip(group, answers):
                yield from self._judge(item, who, answer)
            if group:
                yield from self._side_effects(item, group[0], heard)

    def _pipeline(self, item, door):
        parts = item["pipeline"]
        data = b"".join(self.request(part, door, PEOPLE[part["as"]]) for part in parts)
        self.sent += len(parts)
        answers = wire.answers(wire.talk(self.site.port, data),
                               [part.get("method", "GET") for part in parts])
        if len(answers) != len(parts):
            yield f"{len(parts)} requests, {len(answers)} answers"
        for part, answer in zip(parts, answers):
            yield from self._judge({**part, "open": part.get("open")}, part["as"], answer)

    # --- judging -------------------------------------------------------------------------------

    def _judge(self, item, who, answer):
        control = wire.header(answer, "cache-control")
        if item.get("open"):
            if doors.OPEN.encode() not in answer.body:
                yield f"{who} does not get the public bytes: {answer.status}"
        elif who != "paid":
            yield from self._judge_stranger(item, who, answer, control)
        elif holds_protected(answer.body) or answer.status in (206, 304):
            if not re.search("private|no-store", control) or re.search("public|s-maxage", control):
                yield f"a shared cache may keep the payer's {answer.status}: {control!r}"
        wanted = item.get("paid", "skip") if who == "paid" else "skip"
        if wanted == "bytes" and not holds_protected(answer.body):
            yield f"the payer does not get the bytes: {answer.status} {answer.body[:200]!r}"
        elif isinstance(wanted, int) and answer.status != wanted:
            yield f"the payer gets {answer.status} instead of {wanted}"
        if holds_protected(answer.body) and who != "paid":
            yield f"{who} gets the protected bytes, {answer.status}"

    @staticmethod
    def _judge_stranger(item, who, answer, control):
        if answer.status not in item.get("harmless", ()):
            if answer.status // 100 == 2 or answer.status in (304, 412, 416):
                yield f"{who} gets {answer.status}"
        if answer.status // 100 in (3, 4, 5) and any(wire.header(answer, name) for name in _TELLING):
            yield f"{who}'s {answer.status} tells about the file: {answer.headers}"
        refused = answer.status == 401 or wire.header(answer, "x-subbill-reason")
        if refused and "no-store" not in control:
            yield f"a cache may keep {who}'s {answer.status}: {control!r}"

    def _judge_raw(self, item, who, data):
        if holds_protected(data) and who != "paid":
            yield f"{who} gets the protected bytes: {data[:300]!r}"
        if who != "paid" and not item.get("open"):
            for status in re.findall(rb"^HTTP/1\.[01] (\d{3})", data, re.M):
                if status[:1] == b"2" and int(status) not in item.get("harmless", ()):
                    yield f"{who} gets {status.decode()}"
        if item.get("open") and doors.OPEN.encode() not in data:
            yield f"{who} does not get the public bytes: {data[:300]!r}"
        if who == "paid" and item.get("paid") == "bytes" and not holds_protected(data):
            yield f"the payer does not get the bytes: {data[:300]!r}"

    def _side_effects(self, item, who, heard):
        asked = [line for line in self.vault.requests[heard:] if " /vault/" in line]
        if asked and who != "paid":
            yield f"the application hears of {who}'s request: {asked[0]}"
        if self._touches_files(item):
            now = doors.dav_files(self.site.root)
            if who != "paid":
                yield from self._judge_files(who, now)
            if now != self._pristine:
                doors.write_dav(self.site.root)

    @staticmethod
    def _touches_files(item):
        return item.get("method", "GET") != "GET" and \
            bool(re.search(r"\{dav\}|\{up\}|/davs", json.dumps(item)))

    def _judge_files(self, who, now):
        for path, data in now.items():
            if holds_protected(data) and path not in self._pristine:
                yield f"{who} made a copy of protected bytes: {path}"
            if path not in self._pristine and self._is_protected(path):
                yield f"{who} put {path} behind the door"
        for path, data in self._pristine.items():
            if self._is_protected(path) and now.get(path) != data:
                yield f"{who} changed or removed {path}"

    @staticmethod
    def _is_protected(path):
        return path.startswith(("loc/inner/", "dir/inner/")) or \
            path.startswith("fil/") and path.rsplit("/", 1)[-1].startswith("paid")
