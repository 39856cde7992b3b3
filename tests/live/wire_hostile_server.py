"""A server that misbehaves in the way the request's path names; prints its port, ends when stdin does."""

from __future__ import annotations

import base64
import hashlib
import os
import socket
import struct
import sys
import threading
import time
import zlib
from collections.abc import Callable

NO_LINGER = struct.pack("ii", 1, 0)
STOP = (ConnectionResetError, BrokenPipeError)


def main() -> None:
    server = socket.create_server(("127.0.0.1", 0), backlog=512)
    print(server.getsockname()[1], flush=True)
    threading.Thread(target=accept, args=(server,), daemon=True).start()
    sys.stdin.read()
    os._exit(0)


def accept(server: socket.socket) -> None:
    while True:
        client, _ = server.accept()
        threading.Thread(target=misbehave, args=(client,), daemon=True).start()


def misbehave(client: socket.socket) -> None:
    try:
        request = b""
        while b"\r\n\r\n" not in request:
            data = client.recv(65536)
            if not data:
                return
            request += data
        path = request.split(b" ")[1].decode()
        BEHAVIOURS[path.split("?")[0]](client, request)
    except STOP:
        pass
    finally:
        client.close()


def key_of(request: bytes) -> bytes:
    line = next(line for line in request.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
    return line.split(b": ")[1]


def upgrade(client: socket.socket, request: bytes, *more: bytes, after: bytes = b"") -> None:
    accept_key = base64.b64encode(hashlib.sha1(key_of(request) + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    lines = [
        b"HTTP/1.1 101 Switching Protocols",
        b"Upgrade: websocket",
        b"Connection: Upgrade",
        b"Sec-WebSocket-Accept: " + accept_key,
        *more,
    ]
    client.sendall(b"\r\n".join(lines) + b"\r\n\r\n" + after)


def until_gone(client: socket.socket) -> None:
    while client.recv(65536):
        pass


def answers(head: str, body: bytes = b"") -> Callable[[socket.socket, bytes], None]:
    def answer(client: socket.socket, request: bytes) -> None:
        client.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body)
        until_gone(client)

    return answer


def sends_after_opening(data: bytes) -> Callable[[socket.socket, bytes], None]:
    def send(client: socket.socket, request: bytes) -> None:
        upgrade(client, request)
        client.sendall(data)
        until_gone(client)

    return send


def endless(client: socket.socket, piece: bytes) -> None:
    while True:
        client.sendall(piece)


def endless_headers(client: socket.socket, request: bytes) -> None:
    client.sendall(b"HTTP/1.1 101 Switching Protocols\r\n")
    endless(client, b"X-More: and more\r\n" * 100)


def endless_body(client: socket.socket, request: bytes) -> None:
    client.sendall(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 99999999999\r\n\r\n")
    endless(client, b"sorry " * 1000)


def trickle(client: socket.socket, request: bytes) -> None:
    client.sendall(b"HTTP/1.1 101 Switching Protocols\r\n")
    while True:
        client.sendall(b"x")
        time.sleep(0.01)


def never(client: socket.socket, request: bytes) -> None:
    until_gone(client)


def close(client: socket.socket, request: bytes) -> None:
    pass


def half_an_answer(client: socket.socket, request: bytes) -> None:
    client.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpg")


def reset(client: socket.socket, request: bytes) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)


def redirect_to_good(client: socket.socket, request: bytes) -> None:
    answers("HTTP/1.1 302 Found\nLocation: /good?after=redirect")(client, request)


def good(client: socket.socket, request: bytes) -> None:
    head = request.replace(b"\r\n", b"|")[:65000]
    frame = b"\x82\x7e" + len(head).to_bytes(2) + head
    upgrade(client, request, b"Set-Cookie: a=1", b"Set-Cookie: leak=yes; Domain=127.0.0.1", after=frame)
    until_gone(client)


def unasked_extension(client: socket.socket, request: bytes) -> None:
    upgrade(client, request, b"Sec-WebSocket-Extensions: permessage-deflate")
    until_gone(client)


def unknown_parameter(client: socket.socket, request: bytes) -> None:
    upgrade(client, request, b"Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=77")
    until_gone(client)


def unasked_subprotocol(client: socket.socket, request: bytes) -> None:
    upgrade(client, request, b"Sec-WebSocket-Protocol: surprise")
    until_gone(client)


def wrong_accept(client: socket.socket, request: bytes) -> None:
    answers(
        "HTTP/1.1 101 Switching Protocols\nUpgrade: websocket\nConnection: Upgrade\n"
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    )(client, request)


def bomb(client: socket.socket, request: bytes) -> None:
    """A megabyte on the wire that wants to become a gigabyte."""
    upgrade(client, request, b"Sec-WebSocket-Extensions: permessage-deflate")
    squeeze = zlib.compressobj(9, wbits=-15)
    data = squeeze.compress(bytes(1 << 28)) + squeeze.flush(zlib.Z_SYNC_FLUSH)
    client.sendall(b"\xc2\x7f" + len(data[:-4]).to_bytes(8) + data[:-4])
    until_gone(client)


def endless_fragments(client: socket.socket, request: bytes) -> None:
    upgrade(client, request, after=b"\x02\x00")
    endless(client, b"\x00\x7e\x04\x00" + bytes(1024))


def ping_flood(client: socket.socket, request: bytes) -> None:
    """Pings and never reads the pongs."""
    upgrade(client, request)
    endless(client, (b"\x89\x7d" + bytes(125)) * 100)


def close_then_flood(client: socket.socket, request: bytes) -> None:
    upgrade(client, request, after=b"\x88\x02\x03\xe9")
    endless(client, b"\x82\x7e\x04\x00" + bytes(1024))


def half_a_frame(client: socket.socket, request: bytes) -> None:
    upgrade(client, request, after=b"\x81\x7e\x04\x00half")


BEHAVIOURS: dict[str, Callable[[socket.socket, bytes], None]] = {
    "/garbage": answers("\x07\x16\x03\x01 what is this"),
    "/endless-headers": endless_headers,
    "/endless-body": endless_body,
    "/trickle": trickle,
    "/never": never,
    "/close": close,
    "/half-an-answer": half_an_answer,
    "/reset": reset,
    "/wrong-accept": wrong_accept,
    "/no-upgrade-header": answers("HTTP/1.1 101 Switching Protocols\nConnection: Upgrade"),
    "/bad-status-line": answers("HTTP/1.1 what\nUpgrade: websocket"),
    "/bad-header-line": answers("HTTP/1.1 101 Switching Protocols\nno colon here"),
    "/200": answers("HTTP/1.1 200 OK\nContent-Length: 2", b"hi"),
    "/401": answers("HTTP/1.1 401 Unauthorized\nContent-Length: 0"),
    "/403": answers("HTTP/1.1 403 Forbidden\nContent-Length: 9", b"forbidden"),
    "/404": answers("HTTP/1.1 404 Not Found"),
    "/500": answers("HTTP/1.1 500 Internal Server Error\nContent-Length: 5", b"error"),
    "/503": answers("HTTP/1.1 503 Service Unavailable\nRetry-After: 5"),
    "/redirect": redirect_to_good,
    "/redirect-loop": answers("HTTP/1.1 301 Moved Permanently\nLocation: /redirect-loop"),
    "/redirect-nowhere": answers("HTTP/1.1 302 Found"),
    "/redirect-to-nonsense": answers("HTTP/1.1 302 Found\nLocation: gopher://127.0.0.1/"),
    "/good": good,
    "/unasked-extension": unasked_extension,
    "/unknown-parameter": unknown_parameter,
    "/unasked-subprotocol": unasked_subprotocol,
    "/bomb": bomb,
    "/masked": sends_after_opening(b"\x81\x81\0\0\0\0x"),
    "/bad-utf8": sends_after_opening(b"\x81\x02\xc3\x28"),
    "/reserved": sends_after_opening(b"\x83\x00"),
    "/huge-length": sends_after_opening(b"\x82\x7f\x00\x00\x7f\xff\xff\xff\xff\xff"),
    "/endless-fragments": endless_fragments,
    "/ping-flood": ping_flood,
    "/close-then-flood": close_then_flood,
    "/half-a-frame": half_a_frame,
}

if __name__ == "__main__":
    main()
