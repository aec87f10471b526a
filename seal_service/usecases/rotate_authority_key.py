"""密钥轮换: the next generation of one of the service's own certified keys; the one before stays beside it."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from dataclasses import dataclass
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.algorithms import Suite
from seal_service.domain.authority import AUTHORITY_RULES, PlannedCredential, succession
from seal_service.domain.errors import AlreadyRegistered, Conflict, InvalidInput
from seal_service.domain.events import Event, EventKind, act_of
from seal_service.domain.identifiers import uuid7
from seal_service.domain.issuance import AuthorityCredential, AuthorityRole
from seal_service.ports.crypto import AuthorityFoundation, KeyStore
from seal_service.ports.records import Records, SigningLog, Transaction
from seal_service.ports.system import Clock, Entropy
from seal_service.usecases.fresh_key import fresh_key


@dataclass(frozen=True, slots=True, kw_only=True)
class RotateAuthorityKey:
    """密钥轮换 as asked for."""

    role: str
    """An AuthorityRole with a key of its own."""
    suite: Suite | None = None
    """None: the instance's."""
    confirmed: bool = False
    """Without it nothing is changed: the answer tells what would be made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """密钥轮换: what is planned and, when it was confirmed, what was made."""

    planned: tuple[PlannedCredential, ...]
    suite: Suite
    made: tuple[AuthorityCredential, ...] = ()


@dataclass(frozen=True)
class RotateAuthorityKeyUseCase:
    """密钥轮换: new keys and certificates in one transaction; every process takes them at its next use.

    Raises InvalidInput for what is no role; Conflict for a seal's key and when another rotation came first;
    InstanceNotReady when the issuer has ended and is to be rotated first.
    """

    permission: ClassVar[Permission] = Permission.MANAGE_KEYS
    records: Records
    log: SigningLog
    keys: KeyStore
    foundation: AuthorityFoundation
    clock: Clock
    entropy: Entropy
    default_suite: Suite

    def __call__(self, caller: Caller, command: RotateAuthorityKey) -> Rotation:
        """What is or would be made."""
        now = self.clock.now()
        with self.records.read() as transaction:
            role = _role(transaction, command.role)
            planned = succession(role, transaction.authorities.all(), now)
        rotation = Rotation(planned=planned, suite=command.suite or self.default_suite)
        if not command.confirmed:
            return rotation
        references = [f"{one.role.value}-{one.version}-{uuid7(now, self.entropy.token(10))}" for one in planned]
        with ExitStack() as fresh:
            for reference in references:
                fresh.enter_context(fresh_key(self.records, self.keys, reference, rotation.suite))
            made = self._make(caller, role, rotation, references)
        return Rotation(planned=planned, suite=rotation.suite, made=made)

    def _make(
        self, caller: Caller, role: AuthorityRole, rotation: Rotation, references: list[str]
    ) -> tuple[AuthorityCredential, ...]:
        with self.records.write() as transaction:
            now = self.clock.now()
            if succession(role, transaction.authorities.all(), now) != rotation.planned:
                raise Conflict("Another rotation came first: look at `seal keys list`")
            made = []
            for planned, reference in zip(rotation.planned, references, strict=True):
                try:
                    credential = self.foundation.certify(transaction, planned, reference, now)
                except AlreadyRegistered as error:  # the other one committed while this one was writing
                    raise Conflict("Another rotation came first: look at `seal keys list`") from error
                facts = {
                    "role": credential.role.value,
                    "generation": credential.version,
                    "issuer_generation": planned.issuer_version,
                    "key_reference": reference,
                    "suite": rotation.suite.value,
                    "own_certificate_sha256": hashlib.sha256(credential.certificate).hexdigest(),
                }
                self.log.append(transaction, act_of(caller, Event(kind=EventKind.KEY_ROTATED, facts=facts)))
                made.append(credential)
            transaction.commit()
        return tuple(made)


def _role(transaction: Transaction, named: str) -> AuthorityRole:
    if named in set(AUTHORITY_RULES):
        return AuthorityRole(named)
    if transaction.seals.names_key(named):
        raise Conflict("A seal's own key changes only by renewal or a decided application: see `seal seals renew`")
    roles = ", ".join(AUTHORITY_RULES)
    raise InvalidInput(f"{named!r} is no role whose key can be rotated; there are: {roles}", field="role")
