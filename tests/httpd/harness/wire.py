# Licensed under the Apache License, Version 2.0; see LICENSE.
"""HTTP as an attacker writes it: exactly these bytes, over a kept connection or a fresh one, and
HTTP/2 with whatever stands in its headers. Nothing is normalised on the way, which is why no
ordinary client will do.
"""
import re
import socket
from collections import namedtuple

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions

# headers: [(name in lower case, value)], bytes. status 0: the server said nothing, or HTTP/0.9.
Answer = namedtuple("Answer", "status headers body")

NOTHING = Answer(0, [], b"")

PATIENCE = 10


def header(answer, name):
    """Every value of a header, joined."""
    return b", ".join(value for key, value in answer.headers if key == name.encode()).decode("latin-1")


def _head(text):
    lines = text.split(b"\r\n")
    status = re.match(rb"HTTP/[\d.]+ (\d{3})", lines[0])
    fields = [tuple(part.strip() for part in line.split(b":", 1)) for line in lines[1:] if b":" in line]
    return int(status[1]) if status else 0, [(name.lower(), value) for name, value in fields]


class _Reader:
    def __init__(self, connection):
        self._connection = connection
        self._left = b""

    def more(self):
        data = self._connection.recv(65536)
        self._left += data
        return bool(data)

    def until(self, mark):
        while mark not in self._left:
            if not self.more():
                return None
        found, self._left = self._left.split(mark, 1)
        return found

    def exactly(self, size):
        while len(self._left) < size:
            if not self.more():
                break
        found, self._left = self._left[:size], self._left[size:]
        return found

    def rest(self):
        while self.more():
            pass
        found, self._left = self._left, b""
        return found


def _chunks(reader):
    body = b""
    while True:
        line = reader.until(b"\r\n")
        size = int(line.split(b";")[0] or b"0", 16) if line is not None else 0
        body += reader.exactly(size)
        if line is None or not size:
            while reader.until(b"\r\n"):
                pass
            return body
        reader.exactly(2)


def _read(reader, method):
    """One final answer, or None at the end of the connection."""
    while True:
        text = reader.until(b"\r\n\r\n")
        if text is None:
            return None
        status, fields = _head(text)
        if status >= 200 or status in (0, 101):
            break
    told = dict(fields)
    if method == "HEAD" or status in (204, 304):
        body = b""
    elif b"chunked" in told.get(b"transfer-encoding", b""):
        body = _chunks(reader)
    elif b"content-length" in told:
        body = reader.exactly(int(told[b"content-length"]))
    else:
        body = reader.rest()
    return Answer(status, fields, body)


def _connect(port):
    connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def talk(port, data):
    """Sends bytes over a connection of its own, says that nothing more comes, and returns all that
    came back. A server that has closed before it read everything is no error."""
    with _connect(port) as connection:
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        found = []
        try:
            while True:
                data = connection.recv(65536)
                if not data:
                    break
                found.append(data)
        except ConnectionResetError:
            pass
        return b"".join(found)


def answers(data, methods=()):
    """The answers in what talk() returned; methods: of the requests, to know which have no body."""
    class _Fed:
        def __init__(self):
            self.left = data

        def recv(self, _):
            given, self.left = self.left, b""
            return given

    reader = _Reader(_Fed())
    methods = list(methods)
    found = []
    while (answer := _read(reader, methods.pop(0) if methods else "GET")) is not None:
        found.append(answer)
    return found


class Line:
    """Requests one after the other over one connection, which is opened again when it was closed."""

    def __init__(self, port):
        self._port = port
        self._connection = self._reader = None

    def close(self):
        if self._connection:
            self._connection.close()
        self._connection = None

    def send(self, data, method):
        """data: the whole request."""
        for attempt in (0, 1):
            fresh = self._connection is None
            if fresh:
                self._connection = _connect(self._port)
                self._reader = _Reader(self._connection)
            try:
                self._connection.sendall(data)
                answer = _read(self._reader, method)
            except (ConnectionResetError, BrokenPipeError):
                answer = None
            if answer is None:
                self.close()
                if fresh or attempt:
                    return NOTHING
                continue
            told = dict(answer.headers)
            if told.get(b"connection", b"").lower() == b"close" or \
                    not (b"content-length" in told or b"transfer-encoding" in told or method == "HEAD"
                         or answer.status in (204, 304)):
                self.close()
            return answer
        return NOTHING


class Streams:
    """HTTP/2 with prior knowledge. Requests given together run as streams beside each other."""

    AT_ONCE = 40

    def __init__(self, port):
        self._port = port
        self._socket = None

    def close(self):
        if self._socket:
            self._socket.close()
        self._socket = None

    def _open(self):
        self._socket = _connect(self._port)
        self._h2 = h2.connection.H2Connection(h2.config.H2Configuration(
            client_side=True, header_encoding=None, validate_outbound_headers=False,
            normalize_outbound_headers=False, validate_inbound_headers=False))
        self._h2.initiate_connection()
        self._h2.update_settings({4: 1 << 24})
        self._h2.increment_flow_control_window(1 << 28)
        self._socket.sendall(self._h2.data_to_send())

    def send(self, requests):
        """requests: (headers as pairs of text, body, trailers or None) each; answers in their order."""
        found = []
        for begin in range(0, len(requests), self.AT_ONCE):
            found += self._some(requests[begin:begin + self.AT_ONCE])
        return found

    def _some(self, requests):
        if self._socket is None:
            self._open()
        parts = {}
        for headers, body, trailers in requests:
            stream = self._h2.get_next_available_stream_id()
            parts[stream] = [0, [], b"", False]
            pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
            self._h2.send_headers(stream, pairs, end_stream=not body and not trailers)
            if body:
                self._h2.send_data(stream, body, end_stream=not trailers)
            if trailers:
                self._h2.send_headers(stream, [(name.encode(), value.encode())
                                               for name, value in trailers], end_stream=True)
        self._socket.sendall(self._h2.data_to_send())
        try:
            while not all(part[3] for part in parts.values()):
                data = self._socket.recv(65536)
                if not data:
                    break
                for event in self._h2.receive_data(data):
                    self._note(parts, event)
                self._socket.sendall(self._h2.data_to_send())
        except (h2.exceptions.ProtocolError, ConnectionResetError, BrokenPipeError):
            pass
        done = all(part[3] for part in parts.values())
        if not done or self._h2.state_machine.state == h2.connection.ConnectionState.CLOSED:
            self.close()
        return [Answer(status, headers, body) for status, headers, body, _ in parts.values()]

    def _note(self, parts, event):
        part = parts.get(getattr(event, "stream_id", None))
        if isinstance(event, h2.events.ConnectionTerminated):
            for each in parts.values():
                each[3] = True
        if part is None:
            return
        if isinstance(event, h2.events.ResponseReceived):
            part[0] = int(dict(event.headers).get(b":status", b"0"))
            part[1] = [(name.lower(), value) for name, value in event.headers if name[:1] != b":"]
        elif isinstance(event, h2.events.DataReceived):
            part[2] += event.data
            self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, (h2.events.StreamEnded, h2.events.StreamReset)):
            part[3] = True
