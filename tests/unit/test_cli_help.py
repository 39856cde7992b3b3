"""What helps at the command line: an example and groups in each help, and what a shell completes."""

import shlex
from collections.abc import Iterator
from typing import Any

import pytest

from loadtest.bench.plan import Plan
from loadtest.capacity.plan import CapacityPlan
from loadtest.cli.completion import CHOOSING, completer_of
from loadtest.cli.examples import EXAMPLES
from loadtest.cli.groups import GROUPS, WHAT, group_of
from loadtest.layers import LAYERS
from tests.unit.command_line import COMMANDS


def commands(group: Any = COMMANDS, before: str = "") -> Iterator[tuple[str, Any]]:
    """Each command by its name, those of a group of commands too."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{name} ")
        else:
            yield f"{before}{name}", command


def test_help_when_a_command_is_there_then_it_ends_with_an_example_of_it() -> None:
    found = dict(commands())
    assert found.keys() == EXAMPLES.keys()
    for name, command in found.items():
        assert command.epilog == f"Example: {EXAMPLES[name]}"


@pytest.mark.parametrize("name", EXAMPLES)
def test_help_when_its_example_is_typed_then_every_option_in_it_is_known(name: str) -> None:
    words = shlex.split(EXAMPLES[name])
    assert words[: 1 + len(name.split())] == ["channels-loadtest", *name.split()]
    command = dict(commands())[name]
    command.make_context(name, words[1 + len(name.split()) :])


def test_help_when_an_option_is_a_key_of_a_plan_then_it_is_in_one_group() -> None:
    keys = [key for group in GROUPS.values() for key in group]
    assert len(keys) == len(set(keys))
    assert set(keys) <= Plan.model_fields.keys() | CapacityPlan.model_fields.keys()
    assert [group_of(key) for key in ("load", "drops", "trials")] == ["Load", "Drops", "Time and trials"]
    assert group_of("weathers") == WHAT, "a new dimension needs no line there"


def test_help_when_it_is_of_the_bench_then_at_most_a_few_options_are_in_no_group() -> None:
    command = dict(commands())["bench"]
    without = [one.name for one in command.params if getattr(one, "rich_help_panel", None) is None]
    assert without == ["plan", "out", "like", "resume"]


def test_completion_when_names_are_separated_by_commas_then_the_last_is_completed() -> None:
    complete = completer_of("layers")
    assert complete is not None
    assert set(LAYERS) <= set(complete(""))
    assert complete("redis,in") == ["redis,inmemory"]
    assert "redis,redis" not in complete("redis,r")


def test_completion_when_a_key_chooses_then_it_offers_something() -> None:
    for key in (*CHOOSING, "profile"):
        complete = completer_of(key)
        assert complete is not None and complete("")
    assert completer_of("users") is None
