"""The script that draws the charts, made once and kept in the user's cache: to make it takes over a second."""

import os
import tempfile
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path

import vl_convert
from platformdirs import user_cache_path

_SNIPPET = "window.vegaEmbed = vegaEmbed;"


@cache
def vega_bundle() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script that needs no network."""
    return bundle_at(user_cache_path("channels-loadtest") / f"vega-of-vl-convert-{version('vl-convert-python')}.js")


def bundle_at(path: Path) -> str:
    """Return the script that is kept there, or make it and keep it, where that folder may be written."""
    with suppress(OSError):
        return path.read_text(encoding="utf-8")
    bundle: str = vl_convert.javascript_bundle(_SNIPPET)
    assert "</script" not in bundle.lower(), "the Vega bundle would end its own script element"
    with suppress(OSError):
        _keep(bundle, path)
    return bundle


def _keep(bundle: str, path: Path) -> None:
    """Write it under another name first: whoever reads it meanwhile gets all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    number, name = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(number, "w", encoding="utf-8") as file:
            file.write(bundle)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink()
        raise
