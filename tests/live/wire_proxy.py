"""An HTTP proxy that builds tunnels; prints its port, then a JSON line for each CONNECT; ends when stdin does.

With an argument "user:password" it wants to be told that.
"""

from __future__ import annotations

import base64
import json
import os
import socket
import sys
import threading


def main() -> None:
    server = socket.create_server(("127.0.0.1", 0))
    print(server.getsockname()[1], flush=True)
    threading.Thread(target=accept, args=(server,), daemon=True).start()
    sys.stdin.read()
    os._exit(0)


def accept(server: socket.socket) -> None:
    while True:
        client, _ = server.accept()
        threading.Thread(target=tunnel, args=(client,), daemon=True).start()


def tunnel(client: socket.socket) -> None:
    request = b""
    while b"\r\n\r\n" not in request:
        request += client.recv(65536)
    target = request.split(b" ")[1].decode()
    os.write(1, (json.dumps(target) + "\n").encode())
    if len(sys.argv) > 1 and base64.b64encode(sys.argv[1].encode()) not in request:
        client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        client.close()
        return
    host, port = target.rsplit(":", 1)
    server = socket.create_connection((host, int(port)))
    client.sendall(b"HTTP/1.1 200 Connection Established\r\n\r\n")
    threading.Thread(target=pump, args=(server, client), daemon=True).start()
    pump(client, server)


def pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        sink.close()


main()
