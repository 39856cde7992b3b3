"""The options of a command from the keys of its plan, each with its help and its default."""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any, get_args, get_origin

import typer
from pydantic import BeforeValidator
from pydantic.fields import FieldInfo

from loadtest.bench.choices import Choices, choices_of, defaults_of
from loadtest.bench.scenarios import Scenario
from loadtest.cli.completion import completer_of
from loadtest.cli.groups import group_of
from loadtest.load import by_comma, help_of
from loadtest.targets.reference import ReferenceApp

Profiles = Mapping[str, Mapping[str, Any]]
"""What profiles set instead of defaults, by their names."""


def signature_of(function: Callable[..., None], keys: Mapping[str, FieldInfo], profiles: Profiles) -> inspect.Signature:
    """Return the command's options: those of the plan in its order, then its own."""
    own = [one for one in inspect.signature(function).parameters.values() if one.kind is not one.VAR_KEYWORD]
    options = [_option_of(name, field, profiles) for name, field in keys.items()]
    return inspect.Signature([*options, *(one.replace(kind=one.KEYWORD_ONLY) for one in own)])


def default_of(name: str, field: FieldInfo, profiles: Profiles) -> str:
    """What a key of the plan has where nothing is said, as a person types it, and in other profiles."""
    choices = _choices()
    own = defaults_of(choices[name]) if name in choices and not field.default else field.default
    values = {"": own, **{profile: keys[name] for profile, keys in profiles.items() if name in keys}}
    return "; ".join(f"{profile}: {_typed(name, value)}".removeprefix(": ") for profile, value in values.items())


@functools.cache
def _choices() -> Choices:
    """What there is to choose from: asked once for the defaults of all options, for it looks packages up."""
    return choices_of(ReferenceApp().offer)


def _typed(name: str, value: object) -> str:
    if value is None:
        return f"the {'scenario' if name in Scenario.model_fields else 'server'}'s own"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        parts = [str(part) for part in value]
        return (" and " if any(" " in part for part in parts) else ",").join(parts) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value) or "empty"


def _option_of(name: str, field: FieldInfo, profiles: Profiles) -> inspect.Parameter:
    """Return the option for a key of the plan, which checks the value itself, together with all others."""
    help_text = f"{help_of(field)} (default: {default_of(name, field, profiles)})"
    kind: Any = _kind_of(field)
    option = typer.Option(help=help_text, rich_help_panel=group_of(name), autocompletion=completer_of(name))
    annotation = Annotated[kind | None, option]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _kind_of(field: FieldInfo) -> Any:
    if get_origin(field.annotation) is tuple:
        return list[str] if is_repeated(field) else str
    return next((kind for kind in (bool, int, float) if kind in _types_of(field.annotation)), str)


def is_repeated(field: FieldInfo) -> bool:
    """Tell whether the option is given once for each value: what is not split at its commas."""
    splits = any(isinstance(one, BeforeValidator) and one.func is by_comma for one in field.metadata)
    return get_origin(field.annotation) is tuple and not splits


def _types_of(annotation: Any) -> list[Any]:
    """Return the types that an annotation names, also those behind Annotated and beside None."""
    return [annotation, *(found for part in get_args(annotation) for found in _types_of(part))]
