"""A WebSocket server that answers each message after a known delay, and writes down what it really did.

    python tests/truth/known_server.py FOLDER KIND SEED

One thread, one epoll, nothing but the standard library: none of our code is in it. It listens on a free port, which
stands in FOLDER/port once it does, and echoes every text. On SIGTERM it writes FOLDER/truth.csv, a row an answer:
`message` and `planned_ns` as they stood in the text, `came_ns` (when the kernel had it, SO_TIMESTAMPNS), `answering_ns`
just before the system call that sent the answer and `answered_ns` just after it, all CLOCK_MONOTONIC, and `alone` (1:
nothing else was read with it, so the kernel's stamp, which is that of the newest byte, is its own).
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import heapq
import random
import select
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

SO_TIMESTAMPNS: Final = 35
STAMP: Final = struct.Struct("@ll")
READ_BYTES: Final = 1 << 16
LISTENING: Final = 1024
GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
DIGITS: Final = slice(13, 45)
"""Where the number of a message and its planned time stand in its text."""
NS: Final = 1_000_000_000
CLOCKS_WITHIN_NS: Final = 5_000
STALL_AFTER_S: Final = 1.2
STALL_S: Final = 0.3

Delay = Callable[[float], float]
"""Seconds until an answer, of a message that came so many seconds after the first one."""


def fixed(chance: random.Random) -> Delay:
    """5 ms, always."""
    return lambda since_s: 0.005


def bimodal(chance: random.Random) -> Delay:
    """2 ms, and 20 ms for one in ten."""
    return lambda since_s: 0.020 if chance.random() < 0.1 else 0.002


def heavy_tail(chance: random.Random) -> Delay:
    """Lognormal: median 3 ms, p99 31 ms, p99.9 66 ms; never more than 400 ms."""
    return lambda since_s: min(chance.lognormvariate(-5.8, 1.0), 0.4)


def one_stall(chance: random.Random) -> Delay:
    """3 ms; but once nothing is answered for 300 ms."""
    return lambda since_s: max(0.003, STALL_AFTER_S + STALL_S - since_s) if since_s >= STALL_AFTER_S else 0.003


KINDS: Final = {kind.__name__: kind for kind in (fixed, bimodal, heavy_tail, one_stall)}


def clocks_apart_ns() -> int:
    """How far the wall clock is ahead of CLOCK_MONOTONIC: both are read at once, so nothing came between."""
    while True:
        before_ns, wall_ns, after_ns = time.monotonic_ns(), time.time_ns(), time.monotonic_ns()
        if after_ns - before_ns <= CLOCKS_WITHIN_NS:
            return wall_ns - (before_ns + after_ns) // 2


class Client:
    """One connection and what has come of a message that is not whole yet."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket = connection
        self.bytes = b""
        self.is_open = False


class Server:
    """Answers in the order in which answers are due."""

    def __init__(self, delay: Delay) -> None:
        self.delay = delay
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=LISTENING)
        self.listener.setblocking(False)
        self.epoll = select.epoll()
        self.epoll.register(self.listener, select.EPOLLIN)
        self.clients: dict[int, Client] = {}
        self.due: list[tuple[int, int, Client, bytes, int, bool]] = []
        self.rows: list[tuple[int, int, int, int, int, int]] = []
        self.first_ns = self.numbered = 0
        self.is_over = False

    def run(self) -> None:
        while not self.is_over:
            for number, _ in self.epoll.poll(self.wait_s()):
                if number == self.listener.fileno():
                    self.accept()
                elif number in self.clients:
                    self.read(self.clients[number])
            self.answer()

    def wait_s(self) -> float:
        return max(0.0, (self.due[0][0] - time.monotonic_ns()) / NS) if self.due else 0.1

    def accept(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                client = Client(self.listener.accept()[0])
                self.clients[client.socket.fileno()] = client
                self.epoll.register(client.socket, select.EPOLLIN)

    def read(self, client: Client) -> None:
        try:
            data, ancillary, _, _ = client.socket.recvmsg(READ_BYTES, socket.CMSG_SPACE(STAMP.size))
        except OSError:
            data = b""
        if not data:
            self.end(client)
            return
        client.bytes += data
        if not client.is_open:
            self.open(client)
            return
        seconds, nanoseconds = STAMP.unpack(ancillary[0][2])
        self.take(client, seconds * NS + nanoseconds - clocks_apart_ns())

    def open(self, client: Client) -> None:
        head, ended, rest = client.bytes.partition(b"\r\n\r\n")
        if ended:
            lines = (line.partition(b":") for line in head.split(b"\r\n"))
            fields = {name.strip().lower(): value.strip() for name, _, value in lines}
            accept = base64.b64encode(hashlib.sha1(fields[b"sec-websocket-key"] + GUID).digest())
            client.socket.send(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
            )
            client.is_open, client.bytes = True, rest

    def take(self, client: Client, came_ns: int) -> None:
        """Plan an answer for each whole frame; masked, and of less than 126 bytes, as our messages are."""
        frames = 0
        while len(client.bytes) >= 6 and len(client.bytes) >= 6 + (size := client.bytes[1] & 0x7F):
            frame, client.bytes = client.bytes[: 6 + size], client.bytes[6 + size :]
            if frame[0] & 0x0F == 8:
                client.socket.send(b"\x88\x02\x03\xe8")
                self.end(client)
                return
            mask = frame[2:6] * (size // 4 + 1)
            text = (int.from_bytes(frame[6:], "big") ^ int.from_bytes(mask[:size], "big")).to_bytes(size, "big")
            self.first_ns = self.first_ns or came_ns
            delay_s = self.delay((came_ns - self.first_ns) / NS)
            frames += 1
            self.numbered += 1
            due_ns = came_ns + round(delay_s * NS)
            heapq.heappush(self.due, (due_ns, self.numbered, client, text, came_ns, frames == 1 and not client.bytes))

    def answer(self) -> None:
        now_ns = time.monotonic_ns()
        while self.due and self.due[0][0] <= now_ns:
            _, _, client, text, came_ns, alone = heapq.heappop(self.due)
            frame = bytes((0x81, len(text))) + text
            answering_ns = time.monotonic_ns()
            try:
                client.socket.send(frame)
            except OSError:
                continue
            answered_ns = time.monotonic_ns()
            number = int(text[DIGITS], 16)
            self.rows.append((number >> 64, number & (1 << 64) - 1, came_ns, answering_ns, answered_ns, int(alone)))

    def end(self, client: Client) -> None:
        del self.clients[client.socket.fileno()]
        self.epoll.unregister(client.socket)
        client.socket.close()


def main() -> None:
    folder, kind, seed = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    server = Server(KINDS[kind](random.Random(seed)))

    def stop(*_: object) -> None:
        server.is_over = True

    signal.signal(signal.SIGTERM, stop)
    part = folder / "port.part"
    part.write_text(str(server.listener.getsockname()[1]))
    part.rename(folder / "port")
    server.run()
    with (folder / "truth.csv").open("w") as file:
        print("message,planned_ns,came_ns,answering_ns,answered_ns,alone", file=file)
        for row in server.rows:
            print(*row, sep=",", file=file)


if __name__ == "__main__":
    main()
