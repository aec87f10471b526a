"""许可在前: a use case behind the permission that it declares."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from seal_service.domain.access import Caller, Permission, require
from seal_service.domain.errors import Conflict, PermissionDenied, SealServiceError

Command = TypeVar("Command", contravariant=True)
Answer = TypeVar("Answer", covariant=True)


Refused = Callable[[Caller, Permission, SealServiceError, object], None]


class UseCase(Protocol[Command, Answer]):
    """A story with the permission that it needs."""

    @property
    def permission(self) -> Permission:
        """Declared by every use case: without it nothing can be wired."""

    def __call__(self, caller: Caller, command: Command, /) -> Answer:
        """The whole story."""


@dataclass(frozen=True)
class Guarded(Generic[Command, Answer]):
    """A use case behind its permission: default deny."""

    use_case: UseCase[Command, Answer]
    refused: Refused | None = None
    """Told of every act that was refused, so that the log knows it."""
    under_way: AbstractContextManager[object] = field(default_factory=nullcontext)
    """Entered for every call, so that the service is closed when none is under way."""

    def __post_init__(self) -> None:
        """Refuse (TypeError) a use case that declares no permission."""
        if not isinstance(getattr(self.use_case, "permission", None), Permission):
            raise TypeError(f"{type(self.use_case).__name__} declares no permission")

    @property
    def permission(self) -> Permission:
        """What a caller must hold."""
        return self.use_case.permission

    def admit(self, caller: Caller) -> None:
        """Let a caller in who holds the permission; else Unauthenticated or PermissionDenied, which is logged."""
        try:
            require(caller, self.use_case.permission)
        except PermissionDenied as refusal:
            self._tell(caller, refusal, None)
            raise

    def __call__(self, caller: Caller, command: Command) -> Answer:
        """The use case's answer; Unauthenticated or PermissionDenied before it is even looked at."""
        with self.under_way:
            self.admit(caller)
            try:
                return self.use_case(caller, command)
            except (PermissionDenied, Conflict) as refusal:
                self._tell(caller, refusal, command)
                raise

    def _tell(self, caller: Caller, refusal: SealServiceError, command: object) -> None:
        if self.refused is not None:
            self.refused(caller, self.use_case.permission, refusal, command)
