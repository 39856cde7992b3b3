"""A plain TCP server that speaks just enough WebSocket to open, and prints what then arrived, to the last bit.

Prints its port, then a JSON line for each connection that ended: its path, the bytes in hex after the handshake, and
whether FIN or RST ended them. Paths: /quiet only reads; /answer answers a close frame with one and FIN; /flood does
so too, and sends all the time before. Ends when stdin does.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import select
import socket
import sys
import threading

FLOOD = b"\x82\x7e\x10\x00" + b"f" * 4096
CLOSE_1000 = b"\x88\x02\x03\xe8"


def main() -> None:
    server = socket.create_server(("127.0.0.1", 0), backlog=512)
    print(server.getsockname()[1], flush=True)
    threading.Thread(target=accept, args=(server,), daemon=True).start()
    sys.stdin.read()
    os._exit(0)


def accept(server: socket.socket) -> None:
    while True:
        client, _ = server.accept()
        threading.Thread(target=record, args=(client,), daemon=True).start()


def record(client: socket.socket) -> None:
    path = shake_hands(client)
    arrived = bytearray()
    client.setblocking(False)
    end = ""
    while not end:
        readable, writable, _ = select.select([client], [client] if path == "/flood" else [], [])
        try:
            if readable:
                data = client.recv(65536)
                arrived += data
                end = "" if data else "fin"
                if path in ("/answer", "/flood") and is_close_frame(arrived):
                    answer_close(client)
                    path = "/answered"
            elif writable:
                client.send(FLOOD)
        except ConnectionResetError:
            end = "rst"
        except (BlockingIOError, BrokenPipeError):
            continue  # the next recv tells the truth
    client.close()
    line = json.dumps({"path": path, "bytes": arrived.hex(), "end": end}) + "\n"
    os.write(1, line.encode())  # in one piece, whatever the other threads print


def shake_hands(client: socket.socket) -> str:
    request = b""
    while b"\r\n\r\n" not in request:
        request += client.recv(65536)
    key = next(line.split(b": ")[1] for line in request.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
    accept_key = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    client.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept_key + b"\r\n\r\n"
    )
    return request.split(b" ")[1].decode()


def is_close_frame(arrived: bytearray) -> bool:
    """Whether a whole close frame with a code ends what has arrived (all frames here are short)."""
    position = 0
    while position + 2 <= len(arrived) and arrived[position] != 0x88:
        position += 6 + (arrived[position + 1] & 0x7F)
    return len(arrived) - position == 8


def answer_close(client: socket.socket) -> None:
    client.setblocking(True)
    client.sendall(CLOSE_1000)
    client.shutdown(socket.SHUT_WR)
    client.setblocking(False)


main()
