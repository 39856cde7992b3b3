"""Outage `toy-outage`: the server stands still for a fifth of the steady window."""

from loadtest.outages.kind import Outage, pause, resume

KIND = Outage(
    name="toy-outage",
    of="server",
    summary="nothing for a moment",
    begin=pause,
    heal=resume,
    begins_s=lambda steady_s: steady_s * 0.4,
    heals_s=lambda steady_s: steady_s * 0.6,
)
