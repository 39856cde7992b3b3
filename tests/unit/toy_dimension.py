"""A run with one dimension more: a row in loadtest/dimensions.py is all that is added. Prints what follows from it."""

from __future__ import annotations

import importlib.util
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

ROW = """
WEATHER: Final = Dimension(
    name="weather", plural="weathers", meaning="what it was like outside", dtype=str, default="dry", since=4
)
"""


def add_row() -> None:
    """Take loadtest.dimensions with the row more, before anything else takes it without."""
    spec = importlib.util.find_spec("loadtest.dimensions")
    assert spec and spec.origin
    source = Path(spec.origin).read_text(encoding="utf-8")
    source = source.replace("AnyDimension = ", f"{ROW}\nAnyDimension = ").replace("DROP, LOAD)", "DROP, LOAD, WEATHER)")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    exec(compile(source, spec.origin, "exec"), module.__dict__)


def main() -> None:
    """Make tables of two weathers and say where the weather stands."""
    add_row()
    from loadtest.dimensions import CellKey
    from loadtest.report.columns import TABLES, describe
    from loadtest.report.csv_files import read_tables, write_csv
    from loadtest.report.manifest import Manifest
    from loadtest.report.printed import printed_tables
    from loadtest.report.summary import summarise
    from loadtest.report.summary_json import summary_json
    from loadtest.report.tables import Tables
    from tests.unit.report_folder import key_row

    manifest = Manifest(format=4, name="x", started_utc="", state="finished", planned=2, done=2)
    key = key_row(scenario="churn", drop="rst")
    both = [{**key, "weather": "wet"}, key]
    alone = [key, {**key, "consumer": "async"}]

    def printed(rows: list[dict[str, Any]]) -> list[list[str]]:
        tables = Tables.from_rows({"throughput": rows, "disconnects": [{**row, "dropped": 1} for row in rows]})
        summary = summarise(tables, manifest)
        return [[heading.text for heading in table.headings] for table in printed_tables(summary)]

    def read_old() -> list[str]:
        with tempfile.TemporaryDirectory() as folder:
            write_csv(Tables.from_rows({"throughput": alone}), Path(folder))
            for path in Path(folder).glob("*.csv"):
                header, *lines = path.read_text().splitlines()
                assert header.split(",")[7] == "weather"
                rows = [line.split(",") for line in (header, *lines)]
                path.write_text("\n".join(",".join(row[:7] + row[8:]) for row in rows) + "\n")
            return read_tables(Path(folder)).frame("throughput")["weather"].to_list()

    summary = summarise(Tables.from_rows({"throughput": both}), manifest)
    found = {
        "columns": [[column.name for column in table.columns][:9] for table in TABLES.values()],
        "folders": [CellKey.of_row(row).folder for row in both],
        "printed": printed(both),
        "printed_alone": printed(alone),
        "names": sorted(summary.evidence.namer.name(cell.key) for cell in summary.cells),
        "name_alone": summarise(Tables.from_rows({"throughput": alone}), manifest).evidence.namer.name(
            CellKey.of_row(key)
        ),
        "summary": [cell["weather"] for cell in summary_json(summary)["cells"]],
        "described": "| `weather` |  | str | what it was like outside |  |" in describe(),
        "old": read_old(),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
