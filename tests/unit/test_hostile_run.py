"""A hostile run in a terminal: what a person types prints its texts, and none of them does anything to the terminal."""

import re
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest

from tests.unit.command_line import said_to
from tests.unit.hostile_run import HARM, first_example, shown, write_hostile_run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_hostile_run(tmp_path_factory.mktemp("run"))


def test_show_when_the_ledger_and_the_trials_name_are_hostile_then_they_are_printed_as_they_are(folder: Path) -> None:
    said = said_to("show", str(folder), first_example(folder))
    assert (said.code, said.err) == (0, "")
    assert said.is_plain
    said_in_one = "".join(said.out.split())
    assert [harm for harm in HARM if "".join(shown(harm).split()) not in said_in_one] == []


@pytest.mark.parametrize("form", ["text", "md", "junit"])
def test_report_when_every_text_is_hostile_then_all_of_it_is_text(folder: Path, form: str) -> None:
    said = said_to("report", str(folder), "--format", form)
    assert said.code in (0, 3), said.err
    assert said.is_plain
    if form == "md":
        assert re.search(r"(?<!\\)(<|\[)", said.out) is None, "an element, a link or a picture"
    if form == "junit":
        assert {one.tag for one in fromstring(said.out).iter()} == {"testsuites", "testsuite", "testcase", "failure"}
