"""What the code of a locustfile raises, told in one line."""

import traceback
from pathlib import Path


def told(error: BaseException, locustfile: Path) -> str:
    """Return what was raised, and the last line of the locustfile, or of what lies beside it, that it came from."""
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    if isinstance(error, SyntaxError) and error.filename:
        what, places = f"{type(error).__name__}: {error.msg}", [(error.filename, error.lineno)]
    else:
        places = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    folder = locustfile.resolve().parent
    own = [(Path(name), line) for name, line in places if _is_own(Path(name), folder)]
    return f"{what} ({own[-1][0].name}, line {own[-1][1]})" if own else what


def _is_own(file: Path, folder: Path) -> bool:
    return file.resolve().is_relative_to(folder) and "site-packages" not in file.parts
