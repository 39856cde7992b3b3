"""The process `stage`: reads a line of JSON for each thing that it is asked, and answers with one; ends with its input.

    python -m loadtest.webui.stage OUT PORT

OUT is the folder that gets the folders of tests, PORT that of the target (0: any). The addresses of the user's own
brokers, by name, are JSON in the environment, for they may hold passwords.
"""

import json
import os
import select
import sys
from collections.abc import Iterator
from pathlib import Path

from loadtest.stack.folders import short_folder
from loadtest.webui import BROKERS
from loadtest.webui.stage.acting import Acting

_CHUNK = 1 << 16


def main(out: Path, port: int, addresses: dict[str, str]) -> None:
    """Answer until nobody asks any more."""
    with short_folder() as scratch:
        acting = Acting(scratch, out, port=port, addresses=addresses)
        try:
            for line in _lines(acting):
                print(json.dumps(acting.answer(line), default=str), flush=True)
        finally:
            acting.close()


def _lines(acting: Acting) -> Iterator[str]:
    """Yield what comes in, and look around meanwhile."""
    unread = b""
    while True:
        if not select.select([0], [], [], acting.until_look_s())[0]:
            acting.look()
            continue
        more = os.read(0, _CHUNK)
        if not more:
            return
        *lines, unread = (unread + more).split(b"\n")
        yield from (line.decode() for line in lines)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), json.loads(os.environ.get(BROKERS) or "{}"))
