"""The reader: makes one data frame of all that the processes of one side recorded."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

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
    frames = [_segment(path, _texts(path)) for path in _segments(folder, side)]
    if not frames:
        return pl.DataFrame(schema=SCHEMA)
    return pl.concat(frames).sort("time_ns", maintain_order=True)


def _segments(folder: Path, side: Side) -> Iterator[Path]:
    def order(path: Path) -> tuple[int, int]:
        _, pid, number = path.stem.split("-")
        return int(pid), int(number)

    yield from sorted(folder.glob(f"{side}-*.ledger"), key=order)


def _texts(segment: Path) -> pl.DataFrame:
    path = segment.with_name(segment.stem.rpartition("-")[0] + ".strings")
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []  # what follows the last \n was cut off
    return pl.DataFrame(
        {"argument": range(1, len(lines) + 1), "text": [json.loads(line) for line in lines]},
        schema={"argument": pl.UInt32, "text": pl.String},
    )


def _segment(path: Path, texts: pl.DataFrame) -> pl.DataFrame:
    data = np.memmap(path, dtype="u1", mode="r")
    if len(data) < HEADER.size:
        raise LedgerError(f"{path} is cut off inside its header")
    magic, version, size, pid, _ = HEADER.unpack(data[: HEADER.size].tobytes())
    if magic != MAGIC or version != VERSION or size != RECORD.size:
        raise LedgerError(f"{path} is not a ledger of version {VERSION}")
    records = data[HEADER.size :].view(_DTYPE)
    written = records[records["time_ns"] != 0]  # a slot can be drawn and, on SIGKILL, never filled
    frame = pl.DataFrame({name: np.ascontiguousarray(written[name]) for name in _FIELDS}).with_columns(
        pl.col("time_ns").cast(pl.Int64), pl.lit(pid, pl.Int32).alias("pid")
    )
    carries_text = pl.col("event").is_in([int(event) for event in TEXT_EVENTS])
    return (
        frame.join(texts, on="argument", how="left", maintain_order="left")
        .with_columns(pl.when(carries_text).then("text").alias("text"))
        .select(list(SCHEMA))
    )
