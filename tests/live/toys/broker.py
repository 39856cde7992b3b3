"""Broker `toy-broker`: a private Valkey under another name."""

from loadtest.brokers.kind import Broker
from loadtest.brokers.redis import redis_server
from loadtest.brokers.redis_url import redacted

KIND = Broker(
    name="toy-broker",
    summary="Valkey under another name",
    run=redis_server,
    option="toy-url",
    variable="LOADTEST_TOY_URL",
    check=str,
    redacted=redacted,
)
