"""A job that is known only after its generator has been started, which gets ready meanwhile and waits for it."""

import os
from pathlib import Path
from types import TracebackType
from typing import Self

from loadtest.load import Job


class AwaitedJob:
    """A job file that can be opened before the job is known: whoever reads it waits until it is given.

    Until then the path is a pipe, and a file from then on, so that it can be read any number of times. Who waits when
    it is closed without a job reads an empty file. Entering raises OSError where no pipe can be made.
    """

    def __init__(self, path: Path) -> None:
        """Nothing is there yet."""
        self.path = path
        self._pipe: int | None = None

    def __enter__(self) -> Self:
        os.mkfifo(self.path)
        # For reading too: else opening it would wait for the reader, and its opening of it for us
        self._pipe = os.open(self.path, os.O_RDWR)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def give(self, job: Job) -> None:
        """Tell the job; to be called once, within `with`."""
        assert self._pipe is not None, "it was not opened, or has been given"
        text = job_text(job)
        whole = self.path.with_name(f"{self.path.name}.whole")
        whole.write_text(text)
        whole.replace(self.path)  # who opens it from now on reads the file, who has opened it before reads the pipe
        os.write(self._pipe, text.encode())  # some 700 bytes: less than any pipe holds
        self.close()

    def close(self) -> None:
        """Give nothing, unless the job was given; may be called again."""
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None


def job_text(job: Job) -> str:
    """Return what stands in a job file."""
    return job.model_dump_json(indent=2) + "\n"
