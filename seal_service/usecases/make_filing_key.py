"""上报密钥: the key that signs what is filed; the province has to be given its public half."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.algorithms import Suite
from seal_service.domain.errors import AlreadyRegistered, SignatureRefused
from seal_service.domain.events import Event, EventKind, act_of
from seal_service.domain.filing import REPORT_KEY
from seal_service.ports.crypto import KeyStore
from seal_service.ports.records import Records, SigningLog


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeFilingKey:
    """上报密钥: make it if there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilingKey:
    """上报密钥, its public half."""

    suite: Suite
    public_key_info: bytes
    """SubjectPublicKeyInfo, DER."""
    made: bool
    """Whether it was made now."""


@dataclass(frozen=True)
class MakeFilingKeyUseCase:
    """上报密钥. The key that is there is told again; it is never replaced here.

    The entry is written before the key is made, so that there is no key without one.
    """

    permission: ClassVar[Permission] = Permission.MANAGE_KEYS
    records: Records
    log: SigningLog
    keys: KeyStore
    suite: Suite

    def __call__(self, caller: Caller, _command: MakeFilingKey) -> FilingKey:
        """The public half."""
        try:
            there = self.keys.open(REPORT_KEY)
            return FilingKey(suite=there.suite, public_key_info=there.public_key_info, made=False)
        except SignatureRefused:
            pass
        with self.records.write() as transaction:
            facts = {"key_reference": REPORT_KEY, "suite": self.suite.value}
            self.log.append(transaction, act_of(caller, Event(kind=EventKind.KEY_CREATED, facts=facts)))
            transaction.commit()
        try:
            key = self.keys.create(REPORT_KEY, self.suite)
        except AlreadyRegistered:
            key = self.keys.open(REPORT_KEY)
        return FilingKey(suite=key.suite, public_key_info=key.public_key_info, made=True)
