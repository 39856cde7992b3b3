"""Offer: what a plan can choose when a target is measured, told by the target and as a value.

The bench makes its choices of it and asks nothing else: a target of another kind brings no branch into the bench.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from loadtest.dimensions import Value
from loadtest.installed import HERE, Installed
from loadtest.layers import LAYERS


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a target can be measured with; where it says nothing, what the reference app has."""

    consumers: tuple[Value, ...]
    """Those that a plan can ask for."""
    default_consumers: tuple[str, ...]
    """Those that a plan has when it names none."""
    on_own_routes: tuple[str, ...] = ()
    """Those with a route of their own, not the scenario's: their handlers cannot be told to work, what is sent to them
    has a marker in it, and a plan that asks for every consumer does not mean them."""
    answering_alone: tuple[str, ...] = ()
    """Those that answer the sender alone: each of their users is in a room of its own."""
    layers: tuple[str, ...] = tuple(LAYERS)
    default_layers: tuple[str, ...] = tuple(layer.name for layer in LAYERS.values() if layer.default)
    alone_in_process: str = ""
    """The class of its own layer, the first of `layers`, where that stays inside one process; empty: it does not."""
    scenarios: tuple[str, ...] | None = None
    """Those that it can take part in, the default ones first; None: every one, with the defaults of their own."""
    default_scenarios: tuple[str, ...] | None = None
    server: str = ""
    """The only one that it can be measured on, which a command of the user's own starts; empty: those that there are.
    """
    elsewhere: str = ""
    """Why neither its server nor its layer can be chosen: it runs elsewhere; empty: it is started here."""
    tells_busy: bool = True
    """It tells how busy its server is, so that a load can be a share of what that carries."""
    installed: Installed = HERE
    """What is there for its server and its layer to run."""
    takes_work: bool = True
    """Its handlers work as they are told; else a plan that names work is refused."""
    takes_push: bool = False
    """Something else than its users can have it send; else a plan with a push is refused."""
    message: str = ""
    """What its users say where a plan does not tell: a template; empty: what scenarios say by themselves."""
    accounts: int | None = None
    """How many users can be signed in, each with a session of its own; None: nobody has to be."""
    tells_rooms_apart: bool = True
    """A user's address says its room; else the messages have to, or all users are in one room."""
    notes: tuple[str, ...] = ()
    """What whoever measures it has to know first: what it writes to, say."""
    origin: Mapping[str, Any] = field(default_factory=dict)
    """What the manifest says of where it comes from, so that a run can be resumed; without anything secret."""
