# Licensed under the Apache License, Version 2.0; see LICENSE.
"""A TCP relay between the module and a server, which a test can slow down, silence or cut.

    with Relay(("127.0.0.1", 5432)) as relay:      # or a unix socket's path
        relay.port                                  # give this to the client
        relay.mode = "pass" | "refuse" | "hang"     # from now on, for new and old connections
        relay.delay = 0.5                           # seconds before each piece goes on
        relay.cut()                                 # resets every connection there is
"""
import socket
import struct
import threading
import time

_RESET = struct.pack("ii", 1, 0)


class Relay:
    def __init__(self, target):
        self.target = target
        self.mode = "pass"
        self.delay = 0
        self._pairs = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._listener.getsockname()[1]
        self._open = True
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._open = False
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._listener.close()
        self.cut()

    def _accept(self):
        while self._open:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.mode == "refuse":
                self._reset(client)
                continue
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _connect(self):
        if isinstance(self.target, str):
            server = socket.socket(socket.AF_UNIX)
            server.connect(self.target)
            return server
        return socket.create_connection(self.target)

    def _serve(self, client):
        try:
            server = self._connect()
        except OSError:
            self._reset(client)
            return
        pair = (client, server)
        with self._lock:
            self._pairs.add(pair)
        there = threading.Thread(target=self._pump, args=(client, server), daemon=True)
        there.start()
        self._pump(server, client)
        there.join()
        with self._lock:
            self._pairs.discard(pair)
        for end in pair:
            end.close()

    def _pump(self, source, sink):
        try:
            while data := source.recv(65536):
                if self.delay:
                    time.sleep(self.delay)
                while self.mode == "hang" and self._open:
                    time.sleep(0.02)
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    @staticmethod
    def _reset(end):
        try:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        except OSError:
            pass
        end.close()

    def cut(self):
        with self._lock:
            pairs, self._pairs = self._pairs, set()
        for pair in pairs:
            for end in pair:
                try:
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
