"""The endings: what a drop may do to a connection. None waits, none raises because the connection has ended already."""

from __future__ import annotations

import math
import socket as names
import struct
from typing import Final

from gevent import get_hub

from loadtest.wire import frames
from loadtest.wire.errors import ConnectionLost
from loadtest.wire.protocol import ABNORMAL, ENDED
from loadtest.wire.pump import DRAIN_S, RECV_BYTES, Pump
from loadtest.wire.writer import WOULD_BLOCK, lost_by

UNREAD_S: Final = 5.0
"""How long close_unread() waits for something to leave unread; a pong comes within a round trip."""
HOLD_READ_S: Final = 1.0
"""How often a held connection that reads slowly does so: many of them must not keep the hub busy."""
NO_LINGER: Final = struct.pack("ii", 1, 0)  # close() sends RST (socket(7), SO_LINGER)


class Endings(Pump):
    """A connection that can be ended in every way that loadtest.drops asks for."""

    __slots__ = ()

    def encode(self, message: str | bytes) -> bytes:
        """Return the bytes of the frame that carries the message, uncompressed."""
        return frames.encode(message)

    def send_close_frame(self, code: int | None = 1000, reason: str = "") -> None:
        """Send a close frame, once, and take no more messages to send; what still arrives is handed on."""
        self._write(self._protocol.close(code, reason))

    def write_raw(self, data: bytes) -> None:
        """Send these bytes as they are, after what is queued; the queue has no bound here, so for drops only."""
        if self._protocol.state != ENDED:
            self._write(data)

    def shutdown_write(self) -> None:
        """Send FIN after what is queued; reading goes on (half-close, RFC 9293 3.6)."""
        if self._protocol.state != ENDED:
            self._protocol.half_close()
            self._end_writing()

    def drain(self, timeout_s: float = DRAIN_S) -> None:
        """Read and discard on the hub until the peer's FIN, then release.

        After timeout_s without it we send FIN too, and after as much again release anyway.
        A descriptor closed with unread data would send RST instead of FIN (RFC 1122 4.2.2.13).
        """
        if self._protocol.state != ENDED:
            self._protocol.end()
            self._discard(timeout_s)

    def hold(self, read_bytes_per_s: float = 0.0) -> None:
        """Keep the socket until release() or reset(); nothing is sent, answered or handed on any more.

        What arrives is read at this rate (0: never, infinite: at once) and thrown away. on_closed tells that the
        peer has ended it, as far as reading shows.
        """
        if self._protocol.state == ENDED:
            return
        self._protocol.state = ENDED
        self._reader.stop()
        if read_bytes_per_s == math.inf:
            self._reader.start(self._read_held, RECV_BYTES)
        elif read_bytes_per_s:
            self._drain_timer = get_hub().loop.timer(HOLD_READ_S, HOLD_READ_S)
            self._drain_timer.start(self._read_held, max(1, round(read_bytes_per_s * HOLD_READ_S)))

    def _read_held(self, at_most: int) -> None:
        """Read once and discard it, but take note of the end."""
        protocol = self._protocol
        try:
            data = self._socket.recv(at_most)
        except WOULD_BLOCK:
            return
        except OSError as error:
            lost = lost_by(error)
        else:
            if data:
                protocol.overhear(data)
                return
            lost = ConnectionLost("the peer sent FIN without a close frame")
        protocol.settle(ABNORMAL, "", lost, "peer")
        self.release()
        self._report(True)

    def close_unread(self, timeout_s: float = UNREAD_S) -> None:
        """Stop reading, and release as soon as data waits unread, which sends RST; at the latest after timeout_s."""
        if self._protocol.state == ENDED:
            return
        self._protocol.end()
        self._reader.stop()
        self._reader.start(self.release)
        self._drain_timer = get_hub().loop.timer(timeout_s)
        self._drain_timer.start(self.release)

    def set_option(self, level: int, name: int, value: int | bytes) -> None:
        """Set an option of the TCP socket (setsockopt(2)), unless nothing is left of it."""
        if not self.released:
            self._tcp.setsockopt(level, name, value)

    def reset(self) -> None:
        """Send RST now, dropping what is queued here and in the kernel (RFC 9293 3.10.5, ABORT)."""
        if not self.released:
            self._socket.setsockopt(names.SOL_SOCKET, names.SO_LINGER, NO_LINGER)
            self.release()

    def pause_reading(self) -> None:
        """Take nothing more from the socket: the kernel's buffers fill, pings stay unanswered."""
        if not self.released:
            self._reader.stop()

    def resume_reading(self) -> None:
        """Undo pause_reading()."""
        self._start_reading()
