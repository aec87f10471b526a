"""初始化: a new instance gets its keys, its certificates and the three people whom it begins with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from seal_service.domain.access import Account, Caller, Role
from seal_service.domain.algorithms import Suite
from seal_service.domain.errors import AlreadyRegistered
from seal_service.domain.events import Event, EventKind, Scalar, act_of
from seal_service.domain.identifiers import uuid7
from seal_service.domain.issuance import AuthorityRole
from seal_service.domain.publication import LOG_KEY
from seal_service.domain.retention import Retention, retention_facts
from seal_service.ports.crypto import AuthorityFoundation
from seal_service.ports.records import Records, SigningLog, Transaction
from seal_service.ports.system import Clock, Credentials, Entropy
from seal_service.ports.transparency import LogKeyMaker

MACHINE = Caller(account_id=None, name="seal init")
SECURITY_ADMINISTRATORS = 2
"""Giving a role takes two (domain.dual_control): with fewer, nobody could ever be given one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstAccount:
    """An account that founding made, and its secret, shown this once."""

    name: str
    role: Role
    account_id: str
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Initialised:
    """What was founded: the system operator (None: there was one) and the security administrators."""

    operator: FirstAccount | None
    security_administrators: tuple[FirstAccount, ...]

    @property
    def account_id(self) -> str:
        """Of the system operator; LookupError when none was made."""
        return self._operator().account_id

    @property
    def secret(self) -> str:
        """Of the system operator; LookupError when none was made."""
        return self._operator().secret

    def _operator(self) -> FirstAccount:
        if self.operator is None:
            raise LookupError("no system operator was made")
        return self.operator


@dataclass(frozen=True)
class InitialiseUseCase:
    """初始化. It has no permission and is no part of the service: whoever can write the instance's files may run it.

    Raises AlreadyRegistered when the instance has its authority and two security administrators. An instance that has
    fewer, because it is older than they are or because they have left, is given those that are missing.
    """

    records: Records
    log: SigningLog
    foundation: AuthorityFoundation
    credentials: Credentials
    clock: Clock
    entropy: Entropy
    log_key: LogKeyMaker
    retention: Retention
    """With which the instance begins; changing it takes two people."""

    def __call__(self, suite: Suite) -> Initialised:
        """Found the authority, open the log, make the first people: one transaction."""
        now = self.clock.now()
        with self.records.write() as transaction:
            events: list[Event] = []
            operator = None
            if transaction.authorities.newest(AuthorityRole.ROOT) is None:
                events += self._founded(transaction, suite, now)
                operator = self._join(transaction, events, "operator", Role.SYSTEM_OPERATOR, now)
            there = transaction.accounts.active_with(Role.SECURITY_ADMINISTRATOR)
            security = tuple(
                self._join(transaction, events, f"security-{number}", Role.SECURITY_ADMINISTRATOR, now)
                for number in range(there + 1, SECURITY_ADMINISTRATORS + 1)
            )
            if not events:
                raise AlreadyRegistered("This instance is initialised already")
            for event in events:
                self.log.append(transaction, act_of(MACHINE, event))
            transaction.commit()
        return Initialised(operator=operator, security_administrators=security)

    def _founded(self, transaction: Transaction, suite: Suite, now: datetime) -> list[Event]:
        """What the log begins with."""
        events = [
            Event(kind=EventKind.LOG_OPENED, facts={"origin": self.log.origin}),
            Event(kind=EventKind.CONFIG_INITIALISED, facts={"authority_suite": suite.value}),
        ]
        events.append(Event(kind=EventKind.RETENTION_CHANGED, facts=dict(retention_facts(self.retention))))
        for credential in self.foundation.found(transaction, suite, now):
            facts = {"role": credential.role.value, "key_reference": credential.key_reference}
            events.append(Event(kind=EventKind.KEY_CREATED, facts=facts))
        if not self.log_key.is_there():  # a founding that was rolled back leaves it
            self.log_key.create()
        events.append(Event(kind=EventKind.KEY_CREATED, facts={"role": "log", "key_reference": LOG_KEY}))
        return events

    def _join(
        self, transaction: Transaction, events: list[Event], name: str, role: Role, now: datetime
    ) -> FirstAccount:
        secret, secret_hash = self.credentials.new_secret()
        account = Account(
            id=uuid7(now, self.entropy.token(10)),
            name=name,
            roles=frozenset({role}),
            unit_id=None,
            secret_hash=secret_hash,
            created_at=now,
        )
        transaction.accounts.add(account)
        facts: dict[str, Scalar] = {
            "created_account_id": account.id,
            "created_account_name": account.name,
            "roles": (role.value,),
        }
        events.append(Event(kind=EventKind.ACCOUNT_CREATED, facts=facts))
        return FirstAccount(name=name, role=role, account_id=account.id, secret=secret)
