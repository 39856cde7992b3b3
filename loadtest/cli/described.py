"""An error as a person is told it."""


def described(error: Exception) -> str:
    """Return what went wrong: our own errors say it, the system's are told with the file that they are about."""
    if isinstance(error, OSError):  # a disk that is full or a folder that may not be written, wherever it was met
        return f"{error.strerror or error}: {error.filename or 'the output, or a file of the run'}"
    return str(error)
