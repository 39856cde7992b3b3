"""A plain TCP server that speaks just enough WebSocket to open, and prints what then arrived, to the last bit.

Prints its port, then a JSON line for each connection that ended: its path (empty when the HTTP request was never
whole), the bytes in hex after the handshake (or of the request that was not whole), and whether FIN or RST ended them.
Paths: /unanswered leaves the upgrade without an answer; /quiet only reads; /answer answers a ping with a pong, and a
close frame with one and FIN; /flood does so too, and sends all the time before.

Lines on stdin are orders for all connections that are open: `poke` sends each a ping; `flood` begins to send all the
time; `end` sends each FIN; `look` prints a JSON line for each, with an empty `end` and how many of our packets were not
acknowledged. Ends when stdin does.

With an argument, a PEM file of a key and a certificate, it speaks TLS; the bytes are then those that were decrypted,
FIN and RST still those of TCP, and each line also says whether TLS's own goodbye came (close_notify).
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import select
import socket
import ssl
import struct
import sys
import threading
from collections.abc import Iterator
from typing import ClassVar

from tests.live.wire_secure_socket import SecureSocket

FLOOD = b"\x82\x7e\x10\x00" + b"f" * 4096
PING = b"\x89\x04poke"
PONG = b"\x8a\x00"
CLOSE_1000 = b"\x88\x02\x03\xe8"
POLL_S = 0.02
TCPI_UNACKED = 24  # offset in struct tcp_info of linux/tcp.h


def main() -> None:
    server = socket.create_server(("127.0.0.1", 0), backlog=512)
    print(server.getsockname()[1], flush=True)
    threading.Thread(target=accept, args=(server, *map(tls, sys.argv[1:])), daemon=True).start()
    orders = {"poke": Recording.poke, "flood": Recording.flood, "end": Recording.end_writing, "look": Recording.look}
    for line in sys.stdin:
        for recording in list(Recording.opened):
            orders[line.strip()](recording)
    os._exit(0)


def accept(server: socket.socket, context: ssl.SSLContext | None = None) -> None:
    while True:
        client, _ = server.accept()
        recording = Recording(SecureSocket(client, context) if context else client)
        threading.Thread(target=recording.run, daemon=True).start()


def tls(certificate: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


class Recording:
    """One connection and what arrived on it."""

    opened: ClassVar[list[Recording]] = []

    def __init__(self, client: socket.socket | SecureSocket) -> None:
        self.client = client
        self.path = ""
        self.arrived = bytearray()
        self.floods = False
        self.answers = False
        self.pings_answered = 0
        self.pokes = 0

    def run(self) -> None:
        end = self.shake_hands()
        if not end:
            end = self.read_to_the_end()
            self.opened.remove(self)
        self.tell(end)
        self.client.close()

    def shake_hands(self) -> str:
        """Answer the upgrade; give how it ended if it did before that."""
        try:
            while b"\r\n\r\n" not in self.arrived:
                data = self.client.recv(65536)
                if not data:
                    return "fin"
                self.arrived += data
        except ConnectionResetError:
            return "rst"
        head, _, rest = bytes(self.arrived).partition(b"\r\n\r\n")
        self.path, self.arrived = head.split(b" ")[1].decode(), bytearray(rest)
        self.floods = self.path == "/flood"
        self.answers = self.path in ("/answer", "/flood")
        self.opened.append(self)  # before the client can know that it is open: orders are for it too
        if self.path != "/unanswered":
            with contextlib.suppress(OSError):  # the client may be gone: reading will tell how
                self.client.sendall(upgrade_answer(head))
        return ""

    def read_to_the_end(self) -> str:
        self.client.setblocking(False)
        while True:
            readable, writable, _ = select.select([self.client], [self.client] if self.floods else [], [], POLL_S)
            try:
                if readable:
                    data = self.client.recv(65536)
                    if not data:
                        return "fin"
                    self.arrived += data
                    self.answer()
                elif writable:
                    self.client.send(FLOOD)
                if self.pokes:
                    self.pokes -= 1
                    self.client.send(PING)
            except ConnectionResetError:
                return "rst"
            except (BlockingIOError, BrokenPipeError):
                continue  # the next recv tells the truth

    def answer(self) -> None:
        if not self.answers:
            return
        opcodes = list(whole_frames(self.arrived))
        if opcodes.count(0x89) > self.pings_answered:
            self.pings_answered += 1
            self.client.send(PONG)
        if opcodes and opcodes[-1] == 0x88:
            self.path += " answered"
            self.client.setblocking(True)
            self.client.sendall(CLOSE_1000)
            self.client.setblocking(False)
            self.end_writing()

    def poke(self) -> None:
        self.pokes += 1  # for the thread that reads: the kernel tells of an RST once, and it must be told

    def flood(self) -> None:
        self.floods = True

    def end_writing(self) -> None:
        self.answers = self.floods = False
        with contextlib.suppress(OSError):
            self.client.shutdown(socket.SHUT_WR)

    def look(self) -> None:
        information = self.client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 64)
        self.tell("", unacked=struct.unpack_from("I", information, TCPI_UNACKED)[0])

    def tell(self, end: str, **more: int) -> None:
        if isinstance(self.client, SecureSocket):
            more["close_notify"] = self.client.close_notify
        line = json.dumps({"path": self.path, "bytes": self.arrived.hex(), "end": end, **more}) + "\n"
        os.write(1, line.encode())  # in one piece, whatever the other threads print


def upgrade_answer(head: bytes) -> bytes:
    key = next(line.split(b": ")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
    accept_key = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept_key + b"\r\n\r\n"
    )


def whole_frames(arrived: bytearray) -> Iterator[int]:
    """The first byte of each whole frame (all frames here are short and masked)."""
    position = 0
    while position + 2 <= len(arrived):
        end = position + 6 + (arrived[position + 1] & 0x7F)
        if end > len(arrived):
            return
        yield arrived[position]
        position = end


main()
