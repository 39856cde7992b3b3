"""Outage `server-pause`: the server's processes are stopped for a third of the steady window, and then go on.

What a paused virtual machine looks like, or a host that swaps: the connections stay, what is sent to them waits in the
kernel's buffers, and nothing is answered, no ping either.
"""

from __future__ import annotations

from loadtest.outages.kind import Outage, one_third, pause, resume, two_thirds

KIND = Outage(
    name="server-pause",
    of="server",
    summary="the server's processes are paused: clients get no answer, then all answers at once",
    begin=pause,
    heal=resume,
    begins_s=one_third,
    heals_s=two_thirds,
)
