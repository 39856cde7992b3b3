"""A kept run as hostile servers, apps and plans would have it: every text from outside does harm where it can."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import polars as pl

from loadtest.checks.delivery.table import DEAF_EXAMPLE, LOST_EXAMPLE
from loadtest.checks.disconnects.table import EXAMPLE
from loadtest.checks.drops import ENDED_BY, RAISED
from loadtest.checks.residue.table import EXAMPLE as LEFT_EXAMPLE
from loadtest.checks.throughput.table import OPEN_FAILED, OPEN_FAILURES, UNEXPECTED_EXAMPLE
from loadtest.dimensions import CONSUMER, DROP, LAYER, MIXED_DROPS, NO_DROP, SCENARIO, SERVER, CellKey
from loadtest.figures.counts import as_structs
from loadtest.figures.evidence import trial_folder
from loadtest.printable import printable
from loadtest.report.cells import of_trials, trials_of
from loadtest.report.columns import WHY
from loadtest.report.folder import read_folder, write_folder
from loadtest.report.ledgers import KEPT, write_kept
from loadtest.report.manifest import Manifest
from loadtest.report.tables import Tables

KEPT_RUN: Final = Path(__file__).parents[2] / "results" / "disturbed"
"""It has what a page can show: several loads, drops, missed ones, notes, trials that do not count; none that failed."""
TRIALS, LAYERS = 1, ("redis", "redis-pubsub")
"""What is taken of it: more makes the tests slower and the page no other."""

OWNING: Final = "window.owned=1"
HARM: Final = (
    f"<script>{OWNING}</script>",
    f"<img src=x onerror={OWNING}>",
    f"</script></style></title></textarea><svg onload={OWNING}>",
    f'<a href="javascript:{OWNING}">javascript:{OWNING}</a> <base href="http://elsewhere.invalid/">',
    f"'\" onmouseover={OWNING} x='`+({OWNING})+`",
    f"{{{{7*7}}}} ${{{OWNING}}} {{% endraw %}} <!-- ]]> <%= 7 %> &lt;b&gt; \\u003cb\\u003e",
    "\u202eesrever\u2066\u2067\u200f\u061c mixed \u05d0\u05d1",
    "zero\u200bwidth\ufeff\u00ad\u200d\u2060",
    "\U0001f469\u200d\U0001f467 \U0001f3f3\ufe0f\u200d\U0001f308 \U0001f1e9\U0001f1ea :smile: [/x][bold]",
    "\x00\x07\x1b[2J\x1b]0;title\x07\x9b31m\r\n\x7f",
    "url(http://elsewhere.invalid/x) @import 'http://elsewhere.invalid/y'; http://elsewhere.invalid/z",
)
WORD: Final = "endless" * 715
"""5,005 characters without a place to break."""
ALL: Final = " ".join([*HARM, WORD])
FORMULAS: Final = ("=HYPERLINK(1)", "+1", "-1+1", "@SUM(1)", "\t=1", "\r=1")

NAMED: Final = (SERVER, LAYER, CONSUMER, SCENARIO, DROP)
"""Dimensions whose values people name; a load is a number."""
OURS: Final = frozenset({NO_DROP, MIXED_DROPS})


def hostile(name: str) -> str:
    """Return a name with harm in it: another for each, and always the same; one of them is endless."""
    number = sum(name.encode())
    harm = " ".join(HARM[(number + place) % len(HARM)] for place in range(3))
    return f"{FORMULAS[number % len(FORMULAS)]} {harm} {WORD if number % 3 == 0 else ''}{name}"


def write_hostile_run(folder: Path) -> Path:
    """Write it as the bench would: its tables with their checksums, its examples' records, its manifest."""
    manifest, tables = read_folder(KEPT_RUN)
    few = of_trials(tables, lambda cell, trial: trial <= TRIALS and cell[LAYER] in LAYERS)
    write_kept(_records(few), folder)
    write_folder(folder, _manifest(manifest, few), _tables(few))
    return folder


def first_example(folder: Path) -> str:
    """Return a connection of it as `show` takes it."""
    row = pl.read_parquet(folder / KEPT).filter(pl.col("text").is_not_null()).row(0, named=True)
    return f"{row['trial']}:{row['connection']}"


def _renamed(key: CellKey) -> CellKey:
    return CellKey(**{**key.as_row(), **{one.name: _name(key[one]) for one in NAMED}})


def _name(name: str) -> str:
    return name if name in OURS else hostile(name)


def _folders(tables: Tables) -> dict[str, str]:
    """Return the new folder of each trial by its old one."""
    return {trial_folder(key, trial): trial_folder(_renamed(key), trial) for key, trial in trials_of(tables)}


def _tables(tables: Tables) -> Tables:
    folders = _folders(tables)
    changed = {table.name: _keys_renamed(frame) for table, frame in tables.items()}
    for name, *columns in (
        ("disconnects", EXAMPLE),
        ("delivery", LOST_EXAMPLE, DEAF_EXAMPLE),
        ("throughput", UNEXPECTED_EXAMPLE),
    ):
        changed[name] = changed[name].with_columns(
            column.expr.map_elements(lambda text: _moved(text, folders), pl.String) for column in columns
        )
    texts = {"drops": (ENDED_BY, RAISED), "residue": (LEFT_EXAMPLE,), "unknown": (WHY,)}
    for name, own in texts.items():
        changed[name] = changed[name].with_columns(
            pl.when(column.expr.is_not_null() & (column.expr != "")).then(pl.lit(ALL)).alias(column.name)
            for column in own
        )
    failures = [as_structs({ALL.replace(";", ","): 3})] * changed["throughput"].height
    changed["throughput"] = changed["throughput"].with_columns(
        pl.lit(3).alias(OPEN_FAILED.name), pl.Series(OPEN_FAILURES.name, failures, OPEN_FAILURES.polars)
    )
    return Tables(changed)


def _keys_renamed(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(
        pl.col(one.name).replace({name: _name(name) for name in frame[one.name].unique()}) for one in NAMED
    )


def _moved(reference: str, folders: Mapping[str, str]) -> str:
    trial, colon, connection = reference.rpartition(":")
    return f"{folders.get(trial, trial)}{colon}{connection}"


def _records(tables: Tables) -> pl.DataFrame:
    folders = _folders(tables)
    records = pl.read_parquet(KEPT_RUN / KEPT).filter(pl.col("trial").is_in(list(folders)))
    return records.with_columns(
        pl.col("trial").replace(folders), pl.when(pl.col("text").is_not_null()).then(pl.lit(ALL)).alias("text")
    )


def _manifest(manifest: Manifest, tables: Tables) -> Manifest:
    cells = [cell for cell, _ in trials_of(tables)]
    troubled = [replace(one, cell=_renamed(one.cell), why=ALL) for one in manifest.invalid]
    failed = replace(troubled[0], trial=TRIALS + 1, why=f"the server did not answer; its log ends:\n{ALL}")
    values = {
        name: tuple(replace(one, name=_name(one.name), summary=ALL, variant_of="") for one in known)
        for name, known in manifest.values.items()
    }
    return replace(
        manifest,
        name=ALL,
        command=ALL,
        plan={**_spoilt(manifest.plan), ALL: [ALL, {ALL: ALL}]},
        values=values,
        pinning={ALL: ALL},
        git_revision=FORMULAS[0] + HARM[0],
        planned=len(cells),
        failed=(failed,),
        invalid=tuple(troubled),
        repeated=tuple(troubled),
        capacity=tuple(replace(one, cell=_renamed(one.cell), why=ALL) for one in manifest.capacity),
        rates=tuple(replace(one, cell=_renamed(one.cell)) for one in manifest.rates),
        twins=tuple(map(_renamed, manifest.twins)),
        notes=(ALL, WORD),
        versions={**manifest.versions, ALL: ALL},
        identity={**manifest.identity, ALL: ALL},
        machine={**manifest.machine, ALL: ALL},
        limits={**manifest.limits, ALL: ALL},
        target={ALL: ALL},
    )


def _spoilt(plan: Mapping[str, Any]) -> dict[str, Any]:
    """A plan whose values that are names are the new ones."""
    named = {one.plural for one in NAMED}
    return {
        name: [_name(str(one)) for one in value] if name in named and isinstance(value, list) else value
        for name, value in json.loads(json.dumps(plan)).items()
    }


def shown(text: str) -> str:
    """Return a text as a page may show it."""
    return printable(text, keeping="\n\t")
