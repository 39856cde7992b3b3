"""Pages: what the browser asks for besides Locust's own page, which gets our script and our tabs."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from flask import Blueprint, Response, abort, jsonify, render_template, request, send_from_directory

from loadtest.load import Load, flag_of, help_of
from loadtest.users.clock import clock_of
from loadtest.users.options import NOT_IN_THE_FORM
from loadtest.webui import ALLOW_CONTENTION
from loadtest.webui.beside_locust.asking import StageError, StageProcess
from loadtest.webui.beside_locust.starting import Starter, StartError
from loadtest.webui.state import State, read_state

_HERE: Final = Path(__file__).parent
_OURS: Final = (
    '<link rel="stylesheet" href="./loadtest/static/panel.css">'
    '<script type="module" src="./loadtest/static/panel.js"></script>'
)
_PROMINENT: Final = frozenset({"host", "consumer", "rate", "room_size", "drop_kind", "drop_share"})
"""What the form asks for before "more"."""
_QUICK: Final = "It takes about seven minutes: sync and async consumers on each channel layer."
_NOT_COUNTED: Final = (
    "nobody was dropped: drops count from the end of the warm-up to the end of the test, and that is not now"
)


class Pages:
    """Our routes below /loadtest/, and what is added to Locust's."""

    def __init__(
        self, environment: Any, web_ui: Any, stage: StageProcess, offer: dict[str, Any], starter: Starter
    ) -> None:
        """Nothing is added yet."""
        self._environment, self._web_ui, self._stage, self._offer = environment, web_ui, stage, offer
        self._starter = starter

    def add(self) -> None:
        """Add all of it."""
        offer, web_ui = self._offer, self._web_ui
        web_ui.template_args |= {
            "extended_tabs": [{"title": tab["title"], "key": tab["key"]} for tab in offer["tabs"]],
            "extended_tables": [{"key": tab["key"], "structure": tab["structure"]} for tab in offer["tabs"]],
            "extended_csv_files": [
                {"href": f"./loadtest/csv/{file}", "title": f"Download {file}"} for file in offer["files"]
            ],
        }
        static, templates = str(_HERE / "static"), str(_HERE / "templates")
        routes = Blueprint(
            "loadtest", __name__, static_folder=static, static_url_path="/loadtest/static", template_folder=templates
        )
        for rule, view, method in (
            ("/loadtest/offer", self._form, "GET"),
            ("/loadtest/state", self._state, "GET"),
            ("/loadtest/drop", self._drop, "POST"),
            ("/loadtest/compare", self._compare, "POST"),
            ("/loadtest/stop-comparing", self._stop_comparing, "POST"),
            ("/loadtest/csv/<file>", self._csv, "GET"),
            ("/loadtest/story/<int:connection>", self._story, "GET"),
            ("/loadtest/report/<run>", self._report, "GET"),
        ):
            guarded = web_ui.auth_required_if_enabled(view)
            routes.add_url_rule(rule, endpoint=view.__name__.strip("_"), view_func=guarded, methods=[method])
        base = self._environment.parsed_options.web_base_path
        web_ui.app.register_blueprint(routes, **({"url_prefix": base} if base else {}))
        web_ui.app.after_request(self._extend)

    def _extend(self, response: Response) -> Response:
        """Add our script to Locust's page, and our rows to what it refreshes its tables with."""
        if request.endpoint == "locust.index" and response.status_code == 200:
            response.set_data(response.get_data(as_text=True).replace("</head>", f"{_OURS}</head>", 1))
        elif request.endpoint == "locust.request_stats" and response.is_json:
            tabs = self._read().tabs
            stats = [{"key": tab["key"], "data": tabs.get(tab["key"], [])} for tab in self._offer["tabs"]]
            # Locust keeps its answer for 2 s: one from before the start would have its page show the form again
            now = {"state": self._environment.runner.state, "extended_stats": stats}
            response.set_data(json.dumps({**(response.json or {}), **now}))
        return response

    def _read(self) -> State:
        return read_state(Path(self._offer["state"]))

    def _form(self) -> Response:
        options = self._environment.parsed_options
        more = [
            {"name": name, "flag": flag_of(name), "says": help_of(field), "value": _shown(vars(options)[name])}
            for name, field in Load.model_fields.items()
            if name not in _PROMINENT | NOT_IN_THE_FORM
        ]
        allow = "allow_contention"
        more.append({"name": allow, "flag": flag_of(allow), "says": ALLOW_CONTENTION, "value": vars(options)[allow]})
        chosen = {name: _shown(vars(options)[name]) for name in
                  ("scenario", "consumer", "server", "layer", "drop_share", "num_users", "spawn_rate")}  # fmt: skip
        compares = f"It runs the plan {options.plan}." if options.plan else _QUICK
        return jsonify(
            {**self._offer, "more": more, "chosen": chosen, "host": self._starter.host, "compares": compares}
        )

    def _state(self) -> Response:
        """Tell the page what the stage shows, but for the tabs, which Locust's own tables have."""
        clock = clock_of(self._environment)
        state = json.loads(Path(self._offer["state"]).read_bytes())
        counts = clock is not None and clock.counts
        return jsonify({**state, "tabs": None, "locust": self._environment.runner.state, "counts": counts})

    def _drop(self) -> Response:
        """Drop a share of the members now: `kind` is one of the test's, `share` from 0 to 1."""
        kind, share = request.form.get("kind", ""), request.form.get("share", type=float, default=0.0)
        there_are = self._read().drops
        if kind not in there_are:
            return _refused(
                f"this test drops by {', '.join(there_are) or 'nothing'}; tick {kind} in the form for the next"
            )
        if not 0 < share <= 1:
            return _refused("the share has to be more than 0 % and 100 % at most")
        clock = clock_of(self._environment)
        if clock is None or not clock.drop_now(kind, share):
            return _refused(_NOT_COUNTED)
        return jsonify({"success": True, "says": f"{share:.0%} of the members dropped by {kind}"})

    def _compare(self) -> Response:
        return _done(self._starter.compare)

    def _stop_comparing(self) -> Response:
        return _done(lambda: self._stage.ask("stop comparing"))

    def _csv(self, file: str) -> Response:
        folder = self._read().files
        if file not in self._offer["files"] or not folder:
            abort(404, "nothing has been measured yet")
        return send_from_directory(folder, file, mimetype="text/csv", as_attachment=True, max_age=0)

    def _report(self, run: str) -> Response:
        return send_from_directory(self._offer["results"], f"{run}/report.html", max_age=0)

    def _story(self, connection: int) -> Response | str:
        try:
            story = self._stage.ask("story", connection=connection)
        except StageError as error:
            abort(404, str(error))
        return render_template("story.html", connection=connection, story=story)


def _done(do: Callable[[], object]) -> Response:
    try:
        do()
    except (StageError, StartError) as error:
        return _refused(str(error))
    return jsonify({"success": True})


def _refused(why: str) -> Response:
    return jsonify({"success": False, "message": why})


def _shown(value: Any) -> Any:
    return "\n".join(value) if isinstance(value, list) else value
