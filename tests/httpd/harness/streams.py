# Licensed under the Apache License, Version 2.0; see LICENSE.
"""A backend whose answers do not end, and clients that read them piece by piece.

    GET /ticks       chunked, an event every 50 ms      GET /silence    one event, then nothing
    Upgrade: websocket on any path: 101, then "tick" every 50 ms ("/silence": once), echoes

Everything is plain sockets: what is watched is how an answer is cut off.
"""
import base64
import select
import socket
import threading
import time

import h2.config
import h2.connection
import h2.events

TICK = 0.05


class Streams:
    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._ended = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self):
        return self._listener.getsockname()[1]

    def _accept(self):
        while not self._ended.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection:
            try:
                head = b""
                while b"\r\n\r\n" not in head:
                    head += connection.recv(65536)
                quiet = b"/silence" in head.split(b"\r\n")[0]
                if b"upgrade: websocket" in head.lower():
                    connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                                       b"Connection: Upgrade\r\n\r\n")
                    self._tick(connection, quiet, b"tick\n")
                else:
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                                       b"Transfer-Encoding: chunked\r\n\r\n")
                    self._tick(connection, quiet, b"c\r\ndata: tick\n\n\r\n")
            except OSError:
                pass

    def _tick(self, connection, quiet, words):
        connection.sendall(words)
        while not self._ended.is_set():
            readable, _, _ = select.select([connection], [], [], TICK)
            if readable:
                said = connection.recv(65536)
                if not said:
                    return
                connection.sendall(b"echo " + said)
            if not quiet:
                connection.sendall(words)

    def stop(self):
        self._ended.set()
        self._listener.close()


class Reader:
    """One request over HTTP/1.1 whose answer is read as it comes."""

    def __init__(self, port, path, user, upgrade=False):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        credentials = base64.b64encode(f"{user}:{user}".encode()).decode()
        lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Authorization: Basic {credentials}"]
        if upgrade:
            lines += ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
                      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        self.got = b""
        self.reset = False

    def read_until(self, words):
        while words not in self.got:
            piece = self.socket.recv(4096)
            assert piece, f"ended before {words!r}: {self.got[-200:]!r}"
            self.got += piece
        return self

    def seconds_to_end(self, limit):
        """How long the answer still went on; None when it did not end within limit."""
        begun = time.monotonic()
        while (left := begun + limit - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                piece = self.socket.recv(1 << 20)
            except TimeoutError:
                break
            except ConnectionError:
                self.reset = True
                piece = b""
            if not piece:
                return time.monotonic() - begun
            self.got += piece
        return None

    def close(self):
        self.socket.close()


class Reader2:
    """Several requests over one HTTP/2 connection with prior knowledge."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        self.h2.initiate_connection()
        self.port = port
        self.data, self.how = {}, {}  # stream: bytes; "ended" or "reset"
        self.gone = False

    def ask(self, path, user, hold=False):
        """hold: the window is never opened again, as by a client that reads slowly."""
        stream = self.h2.get_next_available_stream_id()
        credentials = base64.b64encode(f"{user}:{user}".encode()).decode()
        self.h2.send_headers(stream, [(":method", "GET"), (":path", path), (":scheme", "http"),
                                      (":authority", f"127.0.0.1:{self.port}"),
                                      ("authorization", f"Basic {credentials}")], end_stream=True)
        self.data[stream] = b""
        self.holds = hold
        self._flush()
        return stream

    def _flush(self):
        self.socket.sendall(self.h2.data_to_send())

    def pump(self, seconds, until=lambda: False):
        """Reads for some seconds, or until something is so: whether it became so."""
        end = time.monotonic() + seconds
        while not until() and not self.gone and (left := end - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                piece = self.socket.recv(65536)
            except TimeoutError:
                break
            except ConnectionError:
                piece = b""
            self.gone = not piece
            for event in self.h2.receive_data(piece) if piece else ():
                self._take(event)
            if not self.gone:
                self._flush()
        return until()

    def _take(self, event):
        if isinstance(event, h2.events.DataReceived):
            self.data[event.stream_id] += event.data
            if not self.holds:
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            self.how[event.stream_id] = "ended"
        elif isinstance(event, h2.events.StreamReset):
            self.how[event.stream_id] = "reset"

    def close(self):
        self.socket.close()
