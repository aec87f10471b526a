"""密钥列表: every private key that is here, and what it is for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.algorithms import Suite
from seal_service.domain.issuance import AuthorityRole
from seal_service.domain.key_use import KeyState, KeyUse, key_state
from seal_service.domain.operation import KeyPlace
from seal_service.domain.paging import Page, PageRequest
from seal_service.formats.issuing import suite_of
from seal_service.ports.crypto import KeyFacts, KeyStore
from seal_service.ports.records import Records
from seal_service.ports.system import Clock
from seal_service.usecases.key_uses import uses_of_keys


@dataclass(frozen=True, slots=True, kw_only=True)
class ListKeys:
    """密钥列表, by reference."""

    page: PageRequest = PageRequest()


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedKey:
    """密钥, as far as it may be told: a reference and what it is for; never the key."""

    reference: str
    place: KeyPlace
    state: KeyState
    role: AuthorityRole | None = None
    seal_code: str | None = None
    version: int | None = None
    """The role's generation or the seal's version."""
    suite: Suite | None = None
    """None: of a key that nothing names."""
    since: datetime | None = None
    until: datetime | None = None
    """When its certificate ends."""
    token: str | None = None
    """Label of the token that holds it alone."""


@dataclass(frozen=True)
class ListKeysUseCase:
    """密钥列表."""

    permission: ClassVar[Permission] = Permission.MANAGE_KEYS
    records: Records
    keys: KeyStore
    clock: Clock

    def __call__(self, _caller: Caller, command: ListKeys) -> Page[ListedKey]:
        """A page; its cursor is the last reference on it."""
        after, limit = command.page.cursor or "", command.page.limit
        held = sorted((one for one in self.keys.held() if one.reference > after), key=lambda one: one.reference)
        shown, now = held[:limit], self.clock.now()
        with self.records.read() as transaction:
            uses = uses_of_keys(transaction, [one.reference for one in shown], now)
        items = tuple(listed_key(one, uses[one.reference], now) for one in shown)
        return Page(items=items, next_cursor=shown[-1].reference if len(held) > limit else None)


def listed_key(facts: KeyFacts, use: KeyUse, now: datetime) -> ListedKey:
    """What is told of a key."""
    state = key_state(use, now)
    if use.authority is not None:
        own = use.authority.credential
        return ListedKey(
            reference=facts.reference,
            place=facts.place,
            state=state,
            role=own.role,
            version=own.version,
            suite=suite_of(own.certificate),
            since=own.not_before,
            until=own.not_after,
        )
    if use.seal is not None and use.credential is not None:
        return ListedKey(
            reference=facts.reference,
            place=facts.place,
            state=state,
            token=facts.token,
            seal_code=use.seal.code,
            version=use.credential.version,
            suite=use.credential.suite,
            since=use.credential.not_before,
            until=use.credential.not_after,
        )
    if use.request is not None:
        return ListedKey(
            reference=facts.reference,
            place=facts.place,
            state=state,
            token=facts.token,
            seal_code=use.request.seal_code,
            suite=use.request.suite,
            since=use.request.requested_at,
        )
    return ListedKey(reference=facts.reference, place=facts.place, state=state, token=facts.token)
