"""The reader: makes one data frame of all that the processes of one side recorded."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loadtest.ledger.record import HEADER, MAGIC, RECORD, TEXT_EVENTS, VERSION, Side

_DTYPE = np.dtype(
    [
        ("time_ns", "<u8"),
        ("connection", "<u8"),
        ("value", "<u8"),
        ("argument", "<u4"),
        ("code", "<u2"),
        ("event", "u1"),
        ("_", "u1"),
    ]
)
_FIELDS = [name for name in _DTYPE.names or () if name != "_"]

SCHEMA: dict[str, pl.DataType] = {
    "time_ns": pl.Int64(),
    "connection": pl.UInt64(),
    "value": pl.UInt64(),
    "argument": pl.UInt32(),
    "code": pl.UInt16(),
    "event": pl.UInt8(),
    "pid": pl.Int32(),
    "text": pl.String(),
}


class LedgerError(Exception):
    """A ledger cannot be read: not ours, another version, or cut off in its header."""


def read_ledger(folder: Path, side: Side) -> pl.DataFrame:
    """Return the records of one side, by time: columns time_ns, connection, value, argument, code, event, pid, text.

    `text` is the argument's text for those events that carry one, else null. An empty frame when nothing was written.
    Raises LedgerError for a segment that is not a ledger of this version.
    """
    frames = [_process(segments) for segments in _segments_by_process(folder, side)]
    if len(frames) == 1:
        return frames[0]
    return pl.concat([pl.DataFrame(schema=SCHEMA), *frames]).sort("time_ns", maintain_order=True)


def _segments_by_process(folder: Path, side: Side) -> Iterator[list[Path]]:
    def order(path: Path) -> tuple[int, int]:
        return _pid(path), int(path.stem.rpartition("-")[2])

    segments = sorted(folder.glob(f"{side}-*.ledger"), key=order)
    for _, group in itertools.groupby(segments, key=_pid):
        yield list(group)


def _pid(segment: Path) -> int:
    return int(segment.stem.split("-")[1])


def _process(segments: list[Path]) -> pl.DataFrame:
    """Return one process's records by time."""
    frame = _by_time(np.concatenate([_segment(path) for path in segments]))
    texts = pl.Series([None, *_texts(segments[0])], dtype=pl.String)
    has_text = pl.col("event").is_in([int(event) for event in TEXT_EVENTS]) & (pl.col("argument") < len(texts))
    number = frame.select(pl.when(has_text).then("argument").otherwise(0).alias("number"))["number"]
    return frame.with_columns(
        pl.col("time_ns").cast(pl.Int64),
        pl.lit(_pid(segments[0]), pl.Int32).alias("pid"),
        texts.gather(number).alias("text"),
    ).select(list(SCHEMA))


def _by_time(records: NDArray[np.void]) -> pl.DataFrame:
    """Sort here, column by column: polars' own sort of the whole takes three times the memory."""
    order = np.argsort(records["time_ns"], kind="stable")
    return pl.DataFrame({name: records[name][order] for name in _FIELDS})


def _segment(path: Path) -> NDArray[np.void]:
    """Return what was written to a segment: nothing when its writer was killed while opening it."""
    data = path.read_bytes()
    if not any(data[: HEADER.size]):
        return np.empty(0, _DTYPE)
    if len(data) < HEADER.size:
        raise LedgerError(f"{path} is cut off inside its header")
    _require_ours(path, data)
    records = np.frombuffer(data, _DTYPE, offset=HEADER.size, count=(len(data) - HEADER.size) // RECORD.size)
    # a slot that a killed writer left empty or half filled has no time or no event: the event is written last
    whole: NDArray[np.void] = records[(records["time_ns"] != 0) & (records["event"] != 0)]
    return whole


def _require_ours(path: Path, data: bytes) -> None:
    magic, version, size, _, _ = HEADER.unpack_from(data)
    if magic != MAGIC:
        raise LedgerError(f"{path} is no ledger")
    if version != VERSION or size != RECORD.size:
        raise LedgerError(
            f"{path} is a ledger of version {version}, and this is the reader of version {VERSION}; record it again, "
            "with the same release of channels-loadtest on both sides"
        )


def _texts(segment: Path) -> list[str]:
    path = segment.with_name(segment.stem.rpartition("-")[0] + ".strings")
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []  # what follows the last \n was cut off
    return [json.loads(line).encode(errors="replace").decode() for line in lines]  # data frames hold no lone surrogates
