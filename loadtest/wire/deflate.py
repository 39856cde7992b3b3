"""permessage-deflate (RFC 7692): what is offered, what the server may answer, and both compression streams."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from typing import Any, Final

from loadtest.wire.errors import HandshakeInvalid, MessageTooBig, ProtocolError

OFFER: Final = "permessage-deflate; client_max_window_bits"
"""What browsers offer: the server may ask for smaller windows, which saves it memory."""
TAIL: Final = b"\x00\x00\xff\xff"  # cut from each message (section 7.2.1)
MAX_BITS: Final = 15
MIN_BITS: Final = 9
"""Section 7.1.2 allows 8, but zlib cannot make such a stream."""

_TAKEOVERS: Final = ("server_no_context_takeover", "client_no_context_takeover")
_WINDOWS: Final = ("server_max_window_bits", "client_max_window_bits")


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What the server chose (section 7.1)."""

    server_keeps_context: bool = True
    client_keeps_context: bool = True
    server_bits: int = MAX_BITS
    client_bits: int = MAX_BITS


def agreed(answer: str) -> Agreement:
    """Read a Sec-WebSocket-Extensions answer to OFFER; raises HandshakeInvalid for anything that was not offered."""
    name, *words = (word.strip() for word in answer.split(";"))
    if name != "permessage-deflate":
        raise HandshakeInvalid(f"the server chose the extension {answer!r}, which was not offered")
    given: dict[str, str] = {}
    for word in words:
        key, _, value = word.partition("=")
        if key in given or not _is_allowed(key, value.strip('"')):
            raise HandshakeInvalid(f"the server answered permessage-deflate with {word!r}, which we cannot do")
        given[key] = value.strip('"')
    return Agreement(
        server_keeps_context=_TAKEOVERS[0] not in given,
        client_keeps_context=_TAKEOVERS[1] not in given,
        server_bits=int(given.get(_WINDOWS[0], MAX_BITS)),
        client_bits=int(given.get(_WINDOWS[1], MAX_BITS)),
    )


def _is_allowed(key: str, value: str) -> bool:
    if key in _TAKEOVERS:
        return not value
    least = MIN_BITS if key == _WINDOWS[1] else 8
    return key in _WINDOWS and bool(re.fullmatch("[1-9][0-9]?", value)) and least <= int(value) <= MAX_BITS


class Deflate:
    """The two streams of one connection; each is made when it is first needed, because a compressor holds 256 KiB."""

    __slots__ = ("_agreement", "_compressor", "_decompressor")

    def __init__(self, agreement: Agreement) -> None:
        self._agreement = agreement
        self._compressor: Any = None
        self._decompressor: Any = None

    def compress(self, payload: bytes) -> bytes:
        """Compress one message (section 7.2.1)."""
        if self._compressor is None or not self._agreement.client_keeps_context:
            self._compressor = zlib.compressobj(wbits=-self._agreement.client_bits)
        data = self._compressor.compress(payload) + self._compressor.flush(zlib.Z_SYNC_FLUSH)
        return bytes(data[:-4])

    def decompress(self, payload: bytes, max_message_bytes: int) -> bytes:
        """Decompress one message (section 7.2.2), to max_message_bytes at most.

        Raises MessageTooBig when it holds more, ProtocolError when it is not a deflate stream.
        """
        if self._decompressor is None or not self._agreement.server_keeps_context:
            self._decompressor = zlib.decompressobj(wbits=-self._agreement.server_bits)
        try:
            message: bytes = self._decompressor.decompress(payload + TAIL, max_message_bytes + 1)
        except zlib.error as error:
            raise ProtocolError(1002, f"a compressed message cannot be read: {error} (RFC 7692 7.2.2)") from None
        if len(message) > max_message_bytes:
            raise MessageTooBig(f"a compressed message holds more than the limit of {max_message_bytes} bytes")
        if self._decompressor.eof:  # the server ended its stream, as it may (section 7.2.3.4)
            self._decompressor = None
        return message
