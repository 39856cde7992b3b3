"""Acting: what the stage does when it is asked, and what it shows between two questions."""

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from loadtest.bench.plan import PlanError
from loadtest.bench.trial import TrialFailed
from loadtest.checks import timeline
from loadtest.cli.elsewhere_options import elsewhere_of
from loadtest.ledger.reader import LedgerError
from loadtest.report import ReportError, Summary, write_csv
from loadtest.report.story import Story, read_story
from loadtest.servers import HOST
from loadtest.stack.errors import EnvironmentFailed
from loadtest.stack.ports import free_port
from loadtest.targets import Target
from loadtest.targets.reference import ReferenceApp
from loadtest.webui.stage.asked import Asked, elsewhere_options, opened_as_asked, plan_of, read_asked
from loadtest.webui.stage.comparing import Around, AskedComparison, Comparison
from loadtest.webui.stage.offered import offered
from loadtest.webui.stage.stand import Place, Stand, missed_in
from loadtest.webui.stage.tabs import TABS, Shown
from loadtest.webui.state import State, write_state

STATE: Final = "state.json"
LIVE: Final = "live"
LOOK_S: Final = 2.0
"""As often as Locust's own tables are refreshed."""
BEGINNING_S: Final = 0.25
"""Until anything counts: each process of Locust is to be sampled from before that."""
COST_SHARE: Final = 0.1
"""Looking takes no more than this share of the time, however long the ledgers grow."""
NOT_YET: Final = "connections are opened; the first drops show within seconds"
MOST_MISSED: Final = 100
MOST_FINDINGS: Final = 6
MOST_STEPS: Final = 480
"""Two minutes of a chart."""

EXPECTED: Final = (PlanError, EnvironmentFailed, TrialFailed, LedgerError, ReportError, OSError)
"""What may go wrong, each with a message for the person."""


class Acting:
    """The stage's one test at a time, and its comparison."""

    def __init__(self, scratch: Path, out: Path, *, port: int, addresses: Mapping[str, str]) -> None:
        """Nothing runs yet; `port` is that of the target, 0 picks a free one for all tests."""
        self._scratch, self._out, self._addresses = scratch, out, addresses
        self._port = port or free_port(HOST)
        self._stand: Stand | None = None
        self._comparison: Comparison | None = None
        self._state = State()
        self._next_look_s = 0.0
        (scratch / LIVE).mkdir()
        self._write()

    def answer(self, line: str) -> dict[str, Any]:
        """Do what a line of JSON asks for; return {"ok": ...}, or {"error": why not}."""
        asked = json.loads(line)
        do: Callable[..., Any] = _ACTIONS[asked.pop("do")]
        try:
            told = do(self, **asked)
        except EXPECTED as error:
            return {"error": str(error)}
        finally:
            self._write()
        return {"ok": told}

    def until_look_s(self) -> float:
        """Return the seconds until there is something to look at."""
        return max(0.0, self._next_look_s - time.monotonic())

    def look(self) -> None:
        """Bring what is shown up to date."""
        began_s = time.monotonic()
        if self._stand is not None and self._state.stage == "running":
            self._look_at(self._stand)
        self._write()
        took_s = time.monotonic() - began_s
        is_beginning = self._state.stage == "running" and not self._state.tabs
        self._next_look_s = began_s + max(BEGINNING_S if is_beginning else LOOK_S, took_s / COST_SHARE)

    def close(self) -> None:
        """End whatever runs."""
        if self._stand is not None:
            self._stand.abandon()
        if self._comparison is not None:
            self._comparison.stop()

    def _look_at(self, stand: Stand) -> None:
        try:
            stand.require_alive()
            shown = stand.look()
        except EXPECTED as error:
            self._tell(says=str(error))
            return
        if shown is not None:
            self._tell(says="")
            self._show(shown, self._scratch / LIVE)

    def _show(self, shown: Shown, files: Path) -> None:
        if not shown.is_over:
            write_csv(shown.tables, files)
        missed_count, missed = missed_in(shown.tables, MOST_MISSED)
        self._tell(
            tabs={tab.key: tuple(tab.rows(shown)) for tab in TABS},
            missed=missed,
            missed_count=missed_count,
            chart=tuple(shown.tables[timeline.TABLE].tail(MOST_STEPS).to_dicts()),
            files=str(files),
        )

    def _tell(self, **changed: Any) -> None:
        self._state = replace(self._state, **changed)

    def _write(self) -> None:
        comparison = self._comparison.told() if self._comparison else None
        write_state(replace(self._state, comparison=comparison), self._scratch / STATE)

    def hello(self, locustfiles: list[str]) -> dict[str, Any]:
        return {
            **offered(ReferenceApp().offer, [Path(path) for path in locustfiles]),
            "state": str(self._scratch / STATE),
            "results": str(self._out.resolve()),
            "port": self._port,
        }

    def begin(self, asked: dict[str, Any], host: str, command: str) -> dict[str, Any]:
        if self._comparison is not None and self._comparison.is_running:
            raise PlanError("the comparison runs, and two at once would measure each other; wait, or stop it")
        if self._stand is not None:
            self._stand.abandon()
            self._stand = None
        wanted = read_asked(asked)
        target = self._target(host, wanted)
        plan = plan_of(wanted, target.offer, self._port)
        place = Place(
            target=target, out=self._out, scratch=self._scratch, addresses=self._addresses, command=command
        )  # fmt: skip
        stand = Stand(plan, place)
        job = opened_as_asked(stand.begin(), wanted.job)
        self._stand = stand
        self._next_look_s = 0.0  # where nothing had to be started, members are there before the idle stage would look
        drops = plan.drops_of(stand.trial.cell)
        self._state = State(
            stage="running", says=NOT_YET, folder=str(stand.folder), run=stand.folder.name, drops=drops
        )  # fmt: skip
        return {"job": job.model_dump(mode="json"), "hold_s": stand.hold_s, "url": job.host}

    def _target(self, host: str, asked: Asked) -> Target:
        if host:
            return elsewhere_of(elsewhere_options(host, asked.job))
        return ReferenceApp(database_url=os.environ.get("DATABASE_URL"))

    def settle(self) -> None:
        if self._stand is None:
            return
        self._tell(stage="settling", says="the server has time to notice the last drops")
        self._write()
        self._stand.settle()

    def finish(self) -> dict[str, Any]:
        stand, self._stand = self._stand, None
        if stand is None:
            return {}
        if not stand.is_settled:
            stand.abandon()
            self._tell(stage="abandoned", says="the test ended before it was measured, so nothing is audited")
            return {}
        try:
            shown, summary = stand.finish()
        except EXPECTED:
            stand.abandon()
            self._tell(stage="abandoned", says="the audit failed")
            raise
        self._show(shown, stand.folder)
        self._tell(
            stage="audited",
            says="not valid; Result says why" if shown.invalid else "the figures count",
            verdict=_verdict(shown),
            findings=_findings(summary),
        )
        return {"folder": str(stand.folder)}

    def story(self, connection: int) -> dict[str, Any]:
        story = self._story(connection)
        if story is None:
            return {"trial": "", "lines": []}
        return {
            "trial": story.trial,
            "from_drop": story.from_drop,
            "lines": [{"t_ms": line.t_ms, "side": line.side, "what": line.what} for line in story.lines],
        }

    def _story(self, connection: int) -> Story | None:
        if self._stand is not None:
            return self._stand.story(connection)
        return read_story(Path(self._state.folder), str(connection)) if self._state.stage == "audited" else None

    def compare(self, asked: dict[str, Any]) -> None:
        if self._stand is not None:
            raise PlanError("a test runs, and two at once would measure each other; stop it first")
        if self._comparison is not None:
            self._comparison.stop()
        around = Around(out=self._out, scratch=self._scratch, addresses=self._addresses, port=self._port)
        self._comparison = Comparison(AskedComparison.model_validate(asked), around)

    def stop_comparing(self) -> None:
        if self._comparison is not None:
            self._comparison.stop()


_ACTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "hello": Acting.hello,
    "begin": Acting.begin,
    "settle": Acting.settle,
    "finish": Acting.finish,
    "story": Acting.story,
    "compare": Acting.compare,
    "stop comparing": Acting.stop_comparing,
}


def _verdict(shown: Shown) -> str:
    return "Valid: the figures count" if not shown.invalid else f"Not valid: {'; '.join(shown.invalid)}"


def _findings(summary: Summary) -> tuple[str, ...]:
    return tuple(one.text for one in summary.findings[:MOST_FINDINGS])
