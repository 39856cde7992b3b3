"""Server `toy-server`: uvicorn, which pings every 3 s and gives a client as long to answer."""

from dataclasses import replace

from loadtest.servers import uvicorn
from loadtest.servers.kind import Serving


def _command(serving: Serving) -> list[str]:
    return uvicorn.KIND.command(
        replace(
            serving,
            ping_interval_s=serving.ping_interval_s or 3.0,
            ping_timeout_s=serving.ping_timeout_s or 3.0,
        )
    )


KIND = replace(
    uvicorn.KIND,
    name="toy-server",
    summary="uvicorn that pings every 3 s",
    command=_command,
    ping_interval_s=3.0,
    ping_timeout_s=3.0,
    default=False,
)
