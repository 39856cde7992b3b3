"""The web UI: the form, the tabs and the buttons that tests of WebSockets get beside those of Locust.

Half of it is in Locust's process (`beside_locust/`) and only passes things on. The other half is in a process of its
own, the stage (`stage/`): it runs the target, reads both ledgers while they are written, and audits.
"""

from typing import Any, Final

BROKERS: Final = "LOADTEST_BROKERS"
"""The variable with the addresses of the user's own brokers: JSON, by the broker's name."""
ALLOW_CONTENTION: Final = (
    "count tests also where other processes, this browser among them, virtual machines or a CPU quota disturbed them"
)
"""The help of the option, in the form too."""


def add_arguments(parser: Any) -> None:
    """Add to Locust's parser what only the web UI uses."""
    parser.add_argument("--scenario", default="", help="web UI: the scenario that the form begins with")
    parser.add_argument("--server", default="uvicorn", help="web UI: ASGI server of the reference app")
    parser.add_argument("--layer", default="inmemory", help="web UI: channel layer of the reference app")
    own = {"include_in_web_ui": False}
    parser.add_argument("--app-port", type=int, default=0, help="web UI: port of the reference app; 0: any", **own)
    parser.add_argument("--results", default="results", help="web UI: folder that gets a folder for each test", **own)
    parser.add_argument("--allow-contention", action="store_true", help=f"web UI: {ALLOW_CONTENTION}", **own)
    parser.add_argument(
        "--plan",
        default="",
        help="web UI: TOML file of a plan, which the comparison runs instead of the quick one",
        **own,
    )
    parser.add_argument(
        "--plan-folder",
        default=".",
        help="web UI: folder that paths in that plan start from; the working folder",
        **own,
    )
    parser.add_argument(
        "--brokers",
        default="",
        env_var=BROKERS,
        help="web UI: your own message brokers, as JSON of their addresses by name",
        **own,
    )


def attach(environment: Any, web_ui: Any) -> None:
    """Add all of it to the web UI of Locust's `environment`, before that is served."""
    from loadtest.webui.beside_locust.attaching import attach_to  # here: the stage must not bring in Locust

    attach_to(environment, web_ui)
