"""The server's side of a TLS connection with the TCP one in sight: was it close_notify, FIN or RST that ended it?"""

from __future__ import annotations

import socket
import ssl
from typing import Any


class SecureSocket:
    """A TCP socket with TLS on top, for a server that has to see both; recv() says what the TCP socket's would."""

    def __init__(self, plain: socket.socket, context: ssl.SSLContext) -> None:
        self.plain = plain
        self.close_notify = False
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._unsent = b""

    def recv(self, size: int) -> bytes:
        """All that can be decrypted, b"" on FIN; raises ConnectionResetError on RST, BlockingIOError for nothing."""
        while True:
            data = self.plain.recv(size)
            if not data:
                return b""
            self._incoming.write(data)
            clear = self._decrypted()
            self._flush()
            if clear:
                return clear

    def send(self, data: bytes) -> None:
        """Encrypt and send; what the socket does not take goes first the next time."""
        if self._unsent:
            self._flush()
        self._tls.write(data)
        self._flush()

    sendall = send

    def fileno(self) -> int:
        return self.plain.fileno()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.plain, name)

    def _decrypted(self) -> bytes:
        pieces = []
        try:
            while not self.close_notify:
                piece = self._tls.read(65536)
                self.close_notify = not piece
                pieces.append(piece)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.close_notify = True
        return b"".join(pieces)

    def _flush(self) -> None:
        self._unsent += self._outgoing.read()
        while self._unsent:
            self._unsent = self._unsent[self.plain.send(self._unsent) :]
