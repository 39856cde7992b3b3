"""The web UI's start form: bad options come back to the person as a message, before any user starts."""

from typing import Any

from flask import Response, jsonify, request

from loadtest.users.options import OptionsError, read_job


def check_form(environment: Any, web_ui: Any) -> None:
    """Have the web UI refuse to start a test whose options make no sense."""

    def refuse_bad_options() -> Response | None:
        if request.method != "POST" or not request.path.endswith("/swarm"):
            return None
        form = request.form.to_dict()
        try:
            read_job({**vars(environment.parsed_options), **form}, form.get("host") or environment.host)
        except OptionsError as error:
            return jsonify({"success": False, "message": str(error), "host": environment.host})
        return None

    web_ui.app.before_request(refuse_bad_options)
