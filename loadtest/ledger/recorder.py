"""The recorder: appends records to memory-mapped segments, with no system call an event.

What was written survives SIGKILL of the writer, because the pages belong to the file. Space is allocated before it is
mapped: a full disk is an error when a segment is opened, never a bus error in the middle of a measured process.
"""

import itertools
import json
import mmap
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from time import monotonic_ns

from loadtest.ledger.record import HEADER, MAGIC, RECORD, VERSION, Event, Side

SEGMENT_BYTES = 4 * 1024 * 1024
"""131,070 records: about a minute of a busy trial, and quick to allocate."""

_pack_into = RECORD.pack_into


class Recorder:
    """Writes the ledger of one process; safe to call from several threads.

    Raises OSError from the constructor when the folder cannot be written or the disk is full. When it cannot grow
    later, a TRUNCATED record is the last one and nothing more is recorded: the reader then knows what it does not know.
    """

    def __init__(self, folder: Path, side: Side, *, segment_bytes: int = SEGMENT_BYTES) -> None:
        """Open the first segment in `folder`; `segment_bytes` is a multiple of the record's size."""
        self._stem = f"{side}-{os.getpid()}"
        self._folder = folder
        self._segment_bytes = segment_bytes
        self._last_slot = segment_bytes - RECORD.size  # kept for TRUNCATED
        self._segment_numbers = itertools.count(1)
        self._rolling = threading.Lock()
        self._texts = _Texts(folder / f"{self._stem}.strings")
        self._current = self._open_segment()

    def record(
        self, event: int, connection: int, code: int = 0, argument: int = 0, value: int = 0, time_ns: int = 0
    ) -> None:
        """Append one record; `time_ns` is CLOCK_MONOTONIC in ns, 0 means now."""
        segment, slots = self._current  # taken as a pair: another thread may be rolling
        try:
            _pack_into(segment, next(slots), time_ns or monotonic_ns(), connection, value, argument, code, event)
        except StopIteration:
            self._roll(segment)
            self.record(event, connection, code, argument, value, time_ns)

    def text(self, text: str) -> int:
        """Return the number that stands for `text` in a record's argument."""
        return self._texts.number(text)

    def record_text(self, event: int, connection: int, text: str) -> None:
        """Append one record whose argument is a text; an empty one is the number 0."""
        self.record(event, connection, argument=self.text(text) if text else 0)

    def close(self) -> None:
        """Stop recording; what is recorded later is discarded."""
        with self._rolling:
            self._current = _nowhere()
            self._texts.close()

    def _roll(self, full: mmap.mmap) -> None:
        with self._rolling:
            if self._current[0] is not full:
                return  # another thread was first
            try:
                self._current = self._open_segment()
            except OSError:
                _pack_into(full, self._last_slot, monotonic_ns(), 0, 0, 0, 0, Event.TRUNCATED)
                self._current = _nowhere()

    def _open_segment(self) -> tuple[mmap.mmap, Iterator[int]]:
        path = self._folder / f"{self._stem}-{next(self._segment_numbers)}.ledger"
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            _allocate(fd, self._segment_bytes)
            segment = mmap.mmap(fd, self._segment_bytes)
        except OSError:
            path.unlink(missing_ok=True)
            raise
        finally:
            os.close(fd)
        HEADER.pack_into(segment, 0, MAGIC, VERSION, RECORD.size, os.getpid(), monotonic_ns())
        return segment, iter(range(HEADER.size, self._last_slot, RECORD.size))


class _Texts:
    """Numbers texts in the order of their first use and writes each once, at once, to the strings file."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self._numbers: dict[str, int] = {}
        self._is_cut_off = False
        self._adding = threading.Lock()

    def number(self, text: str) -> int:
        number = self._numbers.get(text)
        return number if number is not None else self._add(text)

    def _add(self, text: str) -> int:
        with self._adding:
            if text not in self._numbers:
                if not self._write(json.dumps(text).encode() + b"\n"):
                    return 0  # the reader shows a text it does not have as null
                self._numbers[text] = len(self._numbers) + 1
            return self._numbers[text]

    def _write(self, line: bytes) -> bool:
        """Write a line whole; after one that the disk had no room for, no more, or the lines' numbers were wrong."""
        if self._fd < 0 or self._is_cut_off:
            return False
        try:
            self._is_cut_off = os.write(self._fd, line) != len(line)
        except OSError:  # full disk
            return False
        return not self._is_cut_off

    def close(self) -> None:
        with self._adding:
            if self._fd >= 0:
                os.close(self._fd)
            self._fd = -1


def _allocate(fd: int, size: int) -> None:
    """Make sure the blocks are there, so that writing to the map cannot fail; macOS has no such call."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(fd, 0, size)
    else:
        os.ftruncate(fd, size)


def _nowhere() -> tuple[mmap.mmap, Iterator[int]]:
    """Return a place in memory where records overwrite each other and are forgotten."""
    return mmap.mmap(-1, RECORD.size), itertools.repeat(0)
