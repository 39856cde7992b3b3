"""Opening: why an address elsewhere could not be opened, in one sentence with what to do."""

from __future__ import annotations

import socket
import ssl

import pytest
from websockets.datastructures import Headers
from websockets.exceptions import InvalidStatus
from websockets.http11 import Response

from loadtest.load.entry import Entry
from loadtest.targets.opening import trust_of, why_not


def status(code: int) -> InvalidStatus:
    return InvalidStatus(Response(code, "", Headers()))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (status(404), "HTTP 404 in answer to the opening handshake; is the path right?"),
        (status(403), "HTTP 403 in answer to the opening handshake; no route fits the path, or the app lets nobody in"),
        (status(301), "HTTP 301 in answer to the opening handshake; give the address that it redirects to"),
        (status(418), "HTTP 418 in answer to the opening handshake"),
        (socket.gaierror(-2, "Name or service not known"), "the name is not known"),
        (ConnectionRefusedError(), "nothing listens there"),
        (TimeoutError(), "no answer within 10 s"),
        (ssl.SSLCertVerificationError(), "--ca-file names the CA to trust"),
        (ssl.SSLError(1, "wrong version number"), "is it ws:// and not wss://?"),
        (OSError(113, "No route to host"), "No route to host"),
    ],
)
def test_opening_when_it_fails_then_it_is_said_why_and_what_to_do(error: Exception, said: str) -> None:
    assert said in why_not(error)


def test_trust_when_nothing_is_said_then_it_is_the_systems_and_insecure_takes_any() -> None:
    assert trust_of(Entry()).verify_mode is ssl.CERT_REQUIRED
    insecure = trust_of(Entry(insecure=True))
    assert (insecure.verify_mode, insecure.check_hostname) == (ssl.CERT_NONE, False)
