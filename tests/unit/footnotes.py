"""Checks a document whose figures are sourced by footnotes, against the kept run that they are from.

Each sentence with a figure refers to a footnote, and each footnote says what it is read from:

    Of 9,600 drops 42.7 % were missed.[^share]

    [^share]: disconnects.csv, consumer sync|async, not drop vanish: sum missed of sum dropped 9,600 = 42.7 %
    [^slow]: throughput.csv, layer redis, scenario churn, valid yes: median latency_ms_p99 812, max users 1,000
    [^codes]: drops.csv, consumer sync, code 1006: count 412; drops.csv, consumer async, code 1006: count 377
    [^plan]: manifest.json: plan.trials 5, done 160, count plan.drops 21

footnote := source {"; " source}
source   := [run "/"] table ".csv" {", " filter} ": " claim {", " claim}
          | [run "/"] "manifest.json: " fact {", " fact}    (run: of another kept run beside this one, its folder)
filter   := ["not "] column " " value {"|" value}    (rows whose column is one of the values, or none of them)
claim    := aggregate figure  |  aggregate [figure] " of " aggregate [figure] " = " figure " %"
          | "share " column " of " column " = " figure " % (" figure " to " figure " %)"
          | "typical " column " " figure " (" figure " to " figure ")"
aggregate := ("sum" | "median" | "min" | "max") " " column  |  "count"    (of the rows)
    (share: of all, with its 95 % interval, rounds being the clusters; typical: over the rounds of one cell, the same)
fact     := ["count "] key figure    (a number of the manifest, or the length of a list; keys have dots inside)

Trials that are not valid are no part of any figure. A figure may have commas between thousands, and is right when it is
the value rounded to the digits written. A sum over a cell that is not known is refused; median, min and max leave such
cells out. All figures of a footnote stand in each sentence that refers to it, and all numbers of a sentence in one of
its footnotes; codes, versions and settings that are no findings go into `code spans`, which are left out, as links and
fenced code are. A heading, an item of a list and a row of a table are sentences too.
"""

from __future__ import annotations

import json
import re
import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from loadtest.dimensions import CellKey
from loadtest.figures.table import CELL_NAMES, KEY_NAMES
from loadtest.figures.twins import round_of
from loadtest.report.cells import planned_cell, trials_of
from loadtest.report.columns import TABLES
from loadtest.report.csv_files import read_tables
from loadtest.report.errors import ReportError
from loadtest.report.manifest import MANIFEST
from loadtest.report.story import read_story
from loadtest.report.tables import Tables
from loadtest.stats.location import location_of
from loadtest.stats.share import share_of

NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"


class FootnoteError(Exception):
    """A footnote cannot be read, or cannot be looked up in the run; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Rows whose column is one of the values, or is none of them."""

    column: str
    values: tuple[str, ...]
    is_not: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """What is made of the rows, and the figure that the footnote gives for it, as it is written ("": none)."""

    name: str
    column: str
    figure: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """An aggregate, or as a share of another in percent; the share's figure is `percent`."""

    part: Aggregate
    whole: Aggregate | None = None
    percent: str = ""

    @property
    def figures(self) -> list[str]:
        """Every figure in it, as written."""
        whole = self.whole.figure if self.whole else ""
        return [figure for figure in (self.part.figure, whole, self.percent) if figure]


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """The share of a column in another, or the typical value of one, with the interval that the rounds allow."""

    column: str
    of: str
    """"" for a typical value."""
    figures: list[str]
    """The estimate and its limits, as written; of a share in percent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Rows of one table, or the manifest, and what is claimed of them."""

    run: str
    """The name of another kept run; "" for the document's own."""
    file: str
    filters: tuple[Filter, ...]
    claims: tuple[Claim | Estimate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """A sentence without its code spans and links, and the footnotes that it refers to."""

    text: str
    references: tuple[str, ...]

    @property
    def figures(self) -> set[Decimal]:
        """Its numbers; digits inside a word (p99, UTF-8) are none."""
        found = re.findall(rf"(?<![\w.])(?<![A-Za-z]-){NUMBER}", self.text)
        return {number(figure) for figure in found}


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What a document says, what each footnote claims, and the commands in it that show a connection."""

    sentences: tuple[Sentence, ...]
    footnotes: dict[str, str]
    twice: tuple[str, ...]
    shown: tuple[tuple[str, str], ...]


class Runs:
    """A kept run and those beside it, each read once."""

    def __init__(self, own: Path) -> None:
        self._own = own
        self._read = {"": _read(own)}

    def read(self, name: str) -> tuple[Tables, dict[str, Any]]:
        """The tables and the manifest of a run; FootnoteError where there is none of that name."""
        if name not in self._read:
            folder = self._own.parent / name
            if not (folder / MANIFEST).is_file():
                raise FootnoteError(f"there is no kept run {name} beside {self._own.name}")
            self._read[name] = _read(folder)
        return self._read[name]


def _read(folder: Path) -> tuple[Tables, dict[str, Any]]:
    return _of_valid_trials(read_tables(folder)), json.loads((folder / MANIFEST).read_text(encoding="utf-8"))


def _of_valid_trials(tables: Tables) -> Tables:
    """The rows that count: those of trials that are not valid are left out of every figure of a report too."""
    trials = trials_of(tables)

    def counts(row: dict[str, Any]) -> bool:
        return trials.get((planned_cell(CellKey.of_row(row), row["trial"], trials), row["trial"]), True)

    return Tables(
        {
            table.name: frame.filter([counts(row) for row in frame.select(KEY_NAMES).iter_rows(named=True)])
            for table, frame in tables.items()
        }
    )


def problems_of(text: str, run: Path, *, named: str) -> list[str]:
    """All that is wrong with a document about the kept run in the folder `run`, which commands in it call `named`.

    Raises ReportError when there is no such run.
    """
    document = read_document(text)
    runs = Runs(run)
    sources: dict[str, tuple[Source, ...]] = {}
    problems = [f"[^{name}] is there twice" for name in document.twice]
    for name, claimed in document.footnotes.items():
        try:
            sources[name] = read_footnote(claimed)
            problems += [f"[^{name}]: {wrong}" for wrong in _wrong(sources[name], runs)]
        except FootnoteError as error:
            problems.append(f"[^{name}]: {error}")
    problems += _unsourced(document, sources)
    kept = [(run.parent / Path(folder).name, shown) for folder, shown in document.shown if _is_kept(folder, named)]
    return problems + [wrong for folder, shown in kept for wrong in _not_shown(folder, shown)]


def _is_kept(folder: str, named: str) -> bool:
    """Whether a command names a kept run, and not one that its reader has."""
    return Path(folder).parent == Path(named).parent and Path(folder).name != "latest"


def read_document(text: str) -> Document:
    """Take a document in Markdown apart; of fenced code only the commands count."""
    shown = [shlex.split(command)[2:4] for command in _SHOW.findall(text)]
    text = re.sub(r"<!-- generated by .*?<!-- end -->", "", text, flags=re.DOTALL)  # another test makes these anew
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r"^(```|~~~).*?^\1[ ]*$", "", text, flags=re.DOTALL | re.MULTILINE)
    definition = re.compile(r"^\[\^([^\]]+)\]:[ \t]*(.*(?:\n[ \t]+\S.*)*)", re.MULTILINE)
    found = [(name, " ".join(claimed.split())) for name, claimed in definition.findall(text)]
    return Document(
        sentences=tuple(_sentences(definition.sub("", text))),
        footnotes=dict(found),
        twice=tuple(name for name, count in Counter(name for name, _ in found).items() if count > 1),
        shown=tuple((folder.rstrip("/"), reference) for folder, reference in shown),
    )


_SHOW = re.compile(r"channels-loadtest show(?:\s+(?:'[^'`\n]*'|[^\s`']+)){2}")


def read_footnote(claimed: str) -> tuple[Source, ...]:
    """What a footnote claims; FootnoteError names the part that is not in the grammar."""
    return tuple(_source(part) for part in claimed.split("; "))


def number(figure: str) -> Decimal:
    """The value of a figure as it is written."""
    return Decimal(figure.replace(",", ""))


def is_rounded(figure: str, value: float) -> bool:
    """Whether the figure is the value rounded to as many digits as are written; a half may go either way."""
    written = number(figure)
    last_digit = Decimal(1).scaleb(int(written.as_tuple().exponent))
    return abs(written - Decimal(repr(value))) <= last_digit / 2


def _sentences(text: str) -> Iterator[Sentence]:
    for block in _blocks(text):
        spoken = re.sub(r"`+[^`]*`+", "`", block)
        for sentence in re.findall(r"\S.*?(?:[.!?][\"')*_|]*(?:\[\^[^\]]+\])*(?=\s|$)|$)", spoken):
            references = tuple(re.findall(r"\[\^([^\]]+)\]", sentence))
            bare = re.sub(r"\[\^[^\]]+\]|!?\[[^\]]*\]\([^)]*\)", "", sentence)
            yield Sentence(text=bare.strip(), references=references)


def _blocks(text: str) -> Iterator[str]:
    """The paragraphs, headings, items of lists and rows of tables, each in one line."""
    lines: list[str] = []
    for line in [*text.split("\n"), ""]:
        starts = re.match(r"\s*(?:#+\s|[-*+]\s|\d+[.)]\s|>|\|)", line)
        if (starts or not line.strip()) and lines:
            yield " ".join(lines)
            lines = []
        if line.strip():
            lines.append(re.sub(r"^\s*(?:#+|[-*+]|\d+[.)]|>)\s+", "", line).strip())
            if line.startswith("#"):
                yield lines.pop()


def _source(part: str) -> Source:
    place, colon, claims = part.partition(": ")
    path, *filters = place.split(", ")
    run, _, file = path.rpartition("/")
    if not colon or file not in (MANIFEST, *(table.file for table in TABLES.values())):
        raise FootnoteError(f"{part!r} does not begin with a table's file and a colon behind its filters")
    if file == MANIFEST:
        facts = tuple(_manifest_claim(claim) for claim in claims.split(", "))
        return Source(run=run, file=file, filters=(), claims=facts)
    return Source(
        run=run,
        file=file,
        filters=tuple(_filter(text) for text in filters),
        claims=tuple(_claim(claim) for claim in claims.split(", ")),
    )


def _filter(text: str) -> Filter:
    found = re.fullmatch(r"(not )?(\w+) (.+)", text)
    if not found:
        raise FootnoteError(f"the filter {text!r} is not `column value`, `column value|value` or `not column value`")
    return Filter(column=found[2], values=tuple(found[3].split("|")), is_not=bool(found[1]))


_AGGREGATE = rf"(?:(sum|median|min|max) (\w+)|(count))(?: ({NUMBER}))?"
_CLAIM = re.compile(rf"{_AGGREGATE}(?: of {_AGGREGATE} = ({NUMBER}) ?%)?")


_SHARE = re.compile(rf"share (\w+) of (\w+) = ({NUMBER}) ?% \(({NUMBER}) to ({NUMBER}) ?%\)")
_TYPICAL = re.compile(rf"typical (\w+)() ({NUMBER}) \(({NUMBER}) to ({NUMBER})\)")


def _claim(text: str) -> Claim | Estimate:
    if estimate := _SHARE.fullmatch(text) or _TYPICAL.fullmatch(text):
        return Estimate(column=estimate[1], of=estimate[2], figures=[estimate[3], estimate[4], estimate[5]])
    found = _CLAIM.fullmatch(text)
    if not found or not (found[4] or found[9]):
        raise FootnoteError(f"{text!r} is not `sum column 12`, `count 12` or `sum column of sum column = 12.5 %`")
    part = Aggregate(name=found[1] or found[3], column=found[2] or "", figure=found[4] or "")
    if not found[9]:
        return Claim(part=part)
    whole = Aggregate(name=found[5] or found[7], column=found[6] or "", figure=found[8] or "")
    return Claim(part=part, whole=whole, percent=found[9])


def _manifest_claim(text: str) -> Claim:
    found = re.fullmatch(rf"(count )?([\w.]+) ({NUMBER})", text)
    if not found:
        raise FootnoteError(f"{text!r} is not `key 12` or `count key 12`")
    return Claim(part=Aggregate(name="count" if found[1] else "", column=found[2], figure=found[3]))


def _wrong(sources: Iterable[Source], runs: Runs) -> Iterator[str]:
    """Each figure that is not what its run says."""
    for source in sources:
        tables, manifest = runs.read(source.run)
        for claim in source.claims:
            if isinstance(claim, Estimate):
                values = _estimated(claim, _with_rounds(_rows(source, tables), manifest))
            elif source.file == MANIFEST:
                values = [(claim.part.figure, _in_manifest(claim.part, manifest))]
            else:
                values = _values(claim, _rows(source, tables))
            for figure, value in values:
                if figure and not is_rounded(figure, value):
                    yield f"it says {figure}, {source.file} says {value:,.12g}"


def _rows(source: Source, tables: Tables) -> pl.DataFrame:
    """The rows that a source names; a filter that no row meets is a slip of the pen."""
    table = tables.frame(source.file.removesuffix(".csv"))
    rows = table
    for chosen in source.filters:
        if chosen.column not in table.columns:
            raise FootnoteError(f"{source.file} has no column {chosen.column}")
        texts = pl.col(chosen.column).cast(pl.String).fill_null("")
        if strangers := sorted(set(chosen.values) - set(table.select(texts).to_series())):
            raise FootnoteError(f"no row of {source.file} has the {chosen.column} {', '.join(strangers)}")
        is_one = texts.is_in(chosen.values)
        rows = rows.filter(~is_one if chosen.is_not else is_one)
    return rows


def _values(claim: Claim, rows: pl.DataFrame) -> list[tuple[str, float]]:
    """The figures of a claim, each with the value it should have."""
    part = _value(claim.part, rows)
    if claim.whole is None:
        return [(claim.part.figure, part)]
    whole = _value(claim.whole, rows)
    if not whole:
        raise FootnoteError(f"there is no share of {claim.whole.name} {claim.whole.column}: it is 0")
    return [(claim.part.figure, part), (claim.whole.figure, whole), (claim.percent, 100 * part / whole)]


ROUND = "round"


def _with_rounds(rows: pl.DataFrame, manifest: dict[str, Any]) -> pl.DataFrame:
    """The rows with the round that each was measured in: twins belong to that of their other."""
    rounds = manifest["plan"]["trials"]
    return rows.with_columns(pl.Series(ROUND, [round_of(trial, trials=rounds) for trial in rows["trial"]], pl.Int64))


def _estimated(claim: Estimate, rows: pl.DataFrame) -> list[tuple[str, float]]:
    """The estimate and its limits, each as written and as it should be."""
    columns = [column for column in (claim.column, claim.of) if column]
    if strangers := [column for column in columns if column not in rows.columns]:
        raise FootnoteError(f"there is no column {', '.join(strangers)}")
    if rows.is_empty() or rows.select(columns).null_count().row(0) != (0,) * len(columns):
        raise FootnoteError(f"{' or '.join(columns)} is not known in some row, or no row meets all filters")
    by_round = rows.group_by(ROUND, maintain_order=True)
    if claim.of:
        sums = by_round.agg(pl.col(columns).sum())
        interval = share_of(sums[claim.column].to_list(), sums[claim.of].to_list()).interval
        factor = 100.0
    else:
        if len(rows.unique([name for name in CELL_NAMES if name in rows.columns])) > 1:
            raise FootnoteError(f"the rows of {claim.column} are of several cells, which have no typical value")
        interval = location_of([location_of(group[claim.column].to_list()).estimate for _, group in by_round])
        factor = 1.0
    limits = (interval.estimate, interval.low, interval.high)
    return [(figure, factor * limit) for figure, limit in zip(claim.figures, limits, strict=True)]


_AGGREGATES: dict[str, Callable[[pl.Series], Any]] = {
    "sum": pl.Series.sum,
    "median": pl.Series.median,
    "min": pl.Series.min,
    "max": pl.Series.max,
}


def _value(aggregate: Aggregate, rows: pl.DataFrame) -> float:
    if aggregate.name == "count":
        return rows.height
    if aggregate.column not in rows.columns or not rows.schema[aggregate.column].is_numeric():
        raise FootnoteError(f"there is no column of numbers {aggregate.column}")
    if rows.is_empty():
        raise FootnoteError(f"no row meets all filters of {aggregate.name} {aggregate.column}")
    known = rows[aggregate.column].drop_nulls()
    if len(known) < rows.height and (aggregate.name == "sum" or not len(known)):
        raise FootnoteError(f"{aggregate.column} is not known in {rows.height - len(known)} of {rows.height} rows")
    value = _AGGREGATES[aggregate.name](known)
    return value if isinstance(value, int) else float(value)


def _in_manifest(aggregate: Aggregate, manifest: dict[str, Any]) -> float:
    value: Any = manifest
    for key in aggregate.column.split("."):
        if not isinstance(value, dict) or key not in value:
            raise FootnoteError(f"{MANIFEST} has no {aggregate.column}")
        value = value[key]
    if aggregate.name == "count" and isinstance(value, list | dict):
        return len(value)
    if aggregate.name or isinstance(value, bool) or not isinstance(value, int | float):
        raise FootnoteError(
            f"{aggregate.column} in {MANIFEST} is {value!r}; `count` counts a list, else it is a number"
        )
    return value


def _unsourced(document: Document, sources: dict[str, tuple[Source, ...]]) -> Iterator[str]:
    """Where sentences and footnotes do not belong to each other."""
    used = {name for sentence in document.sentences for name in sentence.references}
    yield from (f"no sentence refers to [^{name}]" for name in document.footnotes if name not in used)
    for sentence in document.sentences:
        here = f"in {sentence.text[:90]!r}"
        yield from (f"{here}: there is no [^{name}]" for name in sentence.references if name not in document.footnotes)
        if sentence.figures and not sentence.references:
            yield f"{here}: no footnote says where the figures are from"
        elif all(name in sources for name in sentence.references):
            yield from (f"{here}: {wrong}" for wrong in _unlike(sentence, sources))


def _unlike(sentence: Sentence, sources: dict[str, tuple[Source, ...]]) -> Iterator[str]:
    """Figures that are in the sentence only, or in one of its footnotes only."""
    cited: set[Decimal] = set()
    for name in sentence.references:
        figures = {number(figure) for source in sources[name] for claim in source.claims for figure in claim.figures}
        cited |= figures
        yield from (f"{figure:,} of [^{name}] is not said" for figure in sorted(figures - sentence.figures))
    yield from (f"{figure:,} is in none of its footnotes" for figure in sorted(sentence.figures - cited))


def _not_shown(run: Path, reference: str) -> Iterator[str]:
    try:
        read_story(run, reference)
    except ReportError as error:
        yield str(error)
