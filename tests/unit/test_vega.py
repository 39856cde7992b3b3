"""The script of the charts and its cache."""

from pathlib import Path

import pytest

from loadtest.report.vega import bundle_at


def test_bundle_when_none_is_kept_then_it_is_made_and_kept_and_taken_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "cache" / "vega.js"
    bundle = bundle_at(path)
    assert "window.vegaEmbed" in bundle
    monkeypatch.setattr("vl_convert.javascript_bundle", None)
    assert bundle_at(path) == bundle
    assert [kept.name for kept in path.parent.iterdir()] == ["vega.js"]


def test_bundle_when_its_folder_cannot_be_written_then_it_is_made_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "window.vegaEmbed" in bundle_at(tmp_path / "file" / "vega.js")
