"""Outage `broker-pause`: the private Redis or Valkey is stopped for a third of the steady window, and then goes on.

What a failover or a snapshot of a large database looks like to the channel layer: its connections stay, and no command
is answered. A broker of the user's own is left alone.
"""

from __future__ import annotations

from loadtest.outages.kind import Outage, one_third, pause, resume, two_thirds

KIND = Outage(
    name="broker-pause",
    of="broker",
    summary="the broker is paused: no message passes from one connection to another",
    begin=pause,
    heal=resume,
    begins_s=one_third,
    heals_s=two_thirds,
)
