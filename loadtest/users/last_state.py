"""Locust's CSV files as they are at the end.

Locust writes them once a second and not when it ends: the figures of the last second would be missing.
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
