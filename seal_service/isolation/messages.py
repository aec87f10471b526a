"""What is asked of a reading process and what it answers, as JSON that is checked against the function's own types.

The answers come from a process that a hostile document may have taken over: nothing of them is executed or trusted
beyond its type.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any, get_type_hints

from pydantic import ConfigDict, TypeAdapter

from seal_service.domain.errors import Detail, DocumentDamaged, DocumentRefused, InvalidPlacement, SealServiceError

_CONFIG = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64", ser_json_inf_nan="constants")

DONE, REFUSED, BROKEN = b"D", b"R", b"B"
"""The first byte of an answer: a result, a typed refusal, an error that nobody expected."""


@dataclass(frozen=True, slots=True)
class ReadingCall:
    """A function that may be called in a reading process, and how its arguments and result are written."""

    name: str
    """module:function"""
    arguments: TypeAdapter[Any]
    result: TypeAdapter[Any]


@cache
def call_of(function: Callable[..., Any]) -> ReadingCall:
    """The call of a module's function, by its annotations; TypeError when it has none."""
    hints = get_type_hints(function)
    if "arguments" not in hints or "return" not in hints or "." in function.__qualname__:
        raise TypeError(f"{function!r} is no function of a module that says the types of its arguments and its result")
    return ReadingCall(
        name=f"{function.__module__}:{function.__qualname__}",
        arguments=_written(hints["arguments"]),
        result=_written(hints["return"]),
    )


def _written(kind: Any) -> TypeAdapter[Any]:
    """In a tuple of one, so that the way bytes are written holds for dataclasses too."""
    one: Any = tuple.__class_getitem__((kind,))
    return TypeAdapter(one, config=_CONFIG)


def function_named(name: str, modules: frozenset[str]) -> Callable[..., Any]:
    """The function of one of these modules; LookupError for others."""
    module, _, function = name.partition(":")
    if module not in modules:
        raise LookupError(f"{name} is not to be called here")
    found: Callable[..., Any] = getattr(import_module(module), function)
    return found


@dataclass(frozen=True, slots=True)
class Refusal:
    """A typed refusal on its way."""

    code: str
    message: str
    details: dict[str, bool | int | str | tuple[str, ...] | None]


_REFUSALS = TypeAdapter(Refusal)
_REFUSING: tuple[type[SealServiceError], ...] = (DocumentRefused, InvalidPlacement, *DocumentRefused.__subclasses__())
_KINDS = {one.code(): one for one in _REFUSING}


def refusal_as_bytes(error: SealServiceError) -> bytes:
    """A refusal to be sent."""
    details = {name: _plain(value) for name, value in error.details.items()}
    return _REFUSALS.dump_json(Refusal(code=error.code(), message=error.message, details=details))


def refusal_of(content: bytes) -> SealServiceError:
    """The error that was raised; DocumentDamaged for a kind that no document is refused with."""
    refusal = _REFUSALS.validate_json(content)
    return _KINDS.get(refusal.code, DocumentDamaged)(refusal.message, **refusal.details)


def _plain(value: Detail) -> bool | int | str | tuple[str, ...] | None:
    return value if value is None or isinstance(value, bool | int | str) else tuple(value)
