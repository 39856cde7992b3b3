"""A test as the form asks for it, and the plan that it is."""

from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from loadtest.bench.choices import choices_of
from loadtest.bench.fitting import fitted
from loadtest.bench.plan import Plan, PlanError
from loadtest.bench.profiles import make_plan
from loadtest.bench.scenarios import SCENARIOS
from loadtest.load import LONGEST_S, Job, Users
from loadtest.targets import Offer


class Asked(BaseModel):
    """What is to be run; durations in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    locustfile: Path
    server: str
    layer: str
    users: Users
    duration: Annotated[float, Field(ge=0, le=LONGEST_S)]
    """How long the part is that counts; 0: until somebody stops the test."""
    job: Job
    allow_contention: bool = False


def read_asked(given: dict[str, Any]) -> Asked:
    """Return what was asked for; PlanError with all that is wrong."""
    try:
        return Asked.model_validate(given)
    except ValidationError as error:
        problems = (f"{'.'.join(map(str, one['loc'][-1:]))}: {one['msg']}" for one in error.errors())
        raise PlanError("\n".join(problems)) from None


_IN_BOTH: Final = sorted((Job.model_fields.keys() & Plan.model_fields.keys()) - {"drain"})
"""What a job and a plan have the same name for."""
_LOCUSTS: Final = ("compression", "proxy")
"""With what connections are opened in Locust alone: the bench has no such options."""
_OPENING: Final = ("origin", "subprotocol", "ca_file", "insecure", *_LOCUSTS)
"""With what connections are opened, but for headers; no plan has it."""


def plan_of(asked: Asked, offer: Offer, port: int) -> Plan:
    """Return the plan of one trial that was asked for; PlanError with all that is wrong, or cannot be had here."""
    job, own = asked.job, is_own(asked.locustfile)
    choices = choices_of(offer)
    given = {
        **{name: getattr(job, name) for name in _IN_BOTH},
        "work": job.handler_work,
        "consumers": (_consumer(job, offer),),
        "layers": offer.default_layers if offer.elsewhere else (asked.layer,),
        "servers": None if offer.elsewhere else (asked.server,),
        "locustfile": (asked.locustfile,) if own else None,
        "scenarios": (asked.locustfile.stem,),
        "drops": job.drop_kind,
        "users": asked.users,
        "duration": asked.duration or LONGEST_S,
        "trials": 1,
        "repeats": 0,
        "twins": False,
        "pin": False,
        "allow_contention": asked.allow_contention,
        "port": 0 if offer.elsewhere else port,
    }
    return fitted(make_plan(given, choices=choices), offer)


def opened_as_asked(job: Job, asked: Job) -> Job:
    """Return a plan's job with what a plan does not know: with what connections are opened.

    Headers are left out: Locust has them, and they may be secret.
    """
    return job.model_copy(update={name: getattr(asked, name) for name in _OPENING})


def elsewhere_options(host: str, asked: Job) -> dict[str, Any]:
    """Return a server elsewhere, and with what its connections are opened, as options of the bench by their names."""
    given = {"target": host, **{name: getattr(asked, name) for name in ("header", *_OPENING) if name not in _LOCUSTS}}
    return {name: value for name, value in given.items() if value}


def is_own(locustfile: Path) -> bool:
    """Tell whether a locustfile is the person's own, and none that comes with the tool."""
    return locustfile.resolve() not in {row.locustfile.resolve() for row in SCENARIOS.values()}


def _consumer(job: Job, offer: Offer) -> str:
    """Return the consumer: a server elsewhere has the one of its address."""
    return offer.consumers[0].name if offer.elsewhere else job.consumer
