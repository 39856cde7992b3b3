"""Where the reference app and the scenarios are, which come with the tool and are no part of its package.

In the project's folder `target_app/` and `locustfiles/` stand beside `loadtest/`. In an installation they lie inside
it, in `_shipped`: names as general as these have no place among the top-level names of an environment of yours. To
import one of the two, import this module first.
"""

import sys
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_INSTALLED = _PACKAGE / "_shipped"

SHIPPED = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent
"""The folder that holds `target_app` and `locustfiles`."""
LOCUSTFILES = SHIPPED / "locustfiles"

if str(SHIPPED) not in sys.path:
    sys.path.append(str(SHIPPED))
