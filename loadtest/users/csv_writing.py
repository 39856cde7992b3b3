"""Locust's `--csv`: its writer ends where its files are closed."""

import locust.stats
from locust.stats import StatsCSVFileWriter


class EndingWriter(StatsCSVFileWriter):
    """Locust's writer of CSV files, for which closed files are the end.

    Locust's own (2.47) wakes once a second, also while its process ends, and then writes to files that were closed: a
    traceback now and then, where the machine is busy.
    """

    def stats_writer(self) -> None:
        """Write once a second until the files are closed."""
        try:
            super().stats_writer()
        except ValueError:
            if not self.requests_csv_filehandle.closed:
                raise


def end_writing_in_order() -> None:
    """Have Locust write by ours: it looks the class up when its locustfiles have been read."""
    setattr(locust.stats, "StatsCSVFileWriter", EndingWriter)  # noqa: B010 - mypy takes it for a type
