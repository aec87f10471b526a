"""A command as JSON that gives the same command back: what two people agreed on is what is done."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import ConfigDict, TypeAdapter

Command = TypeVar("Command")

_CONFIG = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")


def _adapter(kind: Any) -> TypeAdapter[Any]:
    """In a tuple of one, so that the way bytes are written holds for dataclasses too."""
    one: Any = tuple.__class_getitem__((kind,))
    return TypeAdapter(one, config=_CONFIG)


def command_as_json(command: object) -> str:
    """The command's fields; TypeError or pydantic's error for one that holds anything but plain values."""
    return _adapter(type(command)).dump_json((command,)).decode()


def command_of_json(kind: type[Command], content: str) -> Command:
    """The command; pydantic's ValidationError, a ValueError, for anything else."""
    command: Command = _adapter(kind).validate_json(content)[0]
    return command
