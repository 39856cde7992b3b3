"""An example of each command, which its `--help` ends with; the tests parse each of them."""

from collections.abc import Mapping
from typing import Final

EXAMPLES: Final[Mapping[str, str]] = {
    "bench": "channels-loadtest bench --layers redis --scenarios churn --users 200 --trials 5",
    "capacity": "channels-loadtest capacity --layers redis --keep 'latency_ms_p99 < 50'",
    "audit": "channels-loadtest audit ledger/client ledger/server --scenario churn --out results",
    "report": "channels-loadtest report results/latest --verbose",
    "compare": "channels-loadtest compare results/reference latest",
    "keep": "channels-loadtest keep latest kept",
    "selftest": "channels-loadtest selftest --layers redis --only lost-sync",
    "show": "channels-loadtest show latest uvicorn-1-redis-sync-churn-mixed-80%25/1:16777247",
    "ui": "channels-loadtest ui --layer redis --web-port 8089",
    "servers": "channels-loadtest servers --json",
    "layers": "channels-loadtest layers",
    "consumers": "channels-loadtest consumers",
    "scenarios": "channels-loadtest scenarios",
    "drops": "channels-loadtest drops --json",
    "users create": "channels-loadtest users create --count 50 --app chat.asgi:application --database as-is "
    "--users-file users.txt",
    "users remove": "channels-loadtest users remove --app chat.asgi:application --database as-is "
    "--users-file users.txt",
}


def epilog_of(command: str) -> str:
    """Return what stands below the options of a command."""
    return f"Example: {EXAMPLES[command]}"
