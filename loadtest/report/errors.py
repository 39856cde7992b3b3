"""The one error of this package: a results folder that cannot be read or written."""


class ReportError(Exception):
    """A results folder could not be read or written; the message says which file, why, and what to do next."""
