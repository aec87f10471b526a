"""初始化: a new instance gets its keys, its certificates and its first operator. Run on the machine, once."""

from __future__ import annotations

from dataclasses import dataclass

from seal_service.domain.access import Account, Caller, Role
from seal_service.domain.algorithms import Suite
from seal_service.domain.errors import AlreadyRegistered
from seal_service.domain.events import Event, EventKind, act_of
from seal_service.domain.identifiers import uuid7
from seal_service.domain.issuance import AuthorityRole
from seal_service.ports.crypto import AuthorityFoundation
from seal_service.ports.records import Records, SigningLog
from seal_service.ports.system import Clock, Credentials, Entropy

MACHINE = Caller(account_id=None, name="seal init")


@dataclass(frozen=True, slots=True, kw_only=True)
class Initialised:
    """The first operator's account and secret, shown this once."""

    account_id: str
    secret: str


@dataclass(frozen=True)
class InitialiseUseCase:
    """初始化. It has no permission and is no part of the service: whoever can write the instance's files may run it.

    Raises AlreadyRegistered when the instance has its authority.
    """

    records: Records
    log: SigningLog
    foundation: AuthorityFoundation
    credentials: Credentials
    clock: Clock
    entropy: Entropy

    def __call__(self, suite: Suite) -> Initialised:
        """Found the authority, open the log, make the first operator: one transaction."""
        now = self.clock.now()
        secret, secret_hash = self.credentials.new_secret()
        operator = Account(
            id=uuid7(now, self.entropy.token(10)),
            name="operator",
            roles=frozenset({Role.SYSTEM_OPERATOR}),
            unit_id=None,
            secret_hash=secret_hash,
            created_at=now,
        )
        with self.records.write() as transaction:
            if transaction.authorities.newest(AuthorityRole.ROOT) is not None:
                raise AlreadyRegistered("This instance is initialised already")
            events = [
                Event(kind=EventKind.LOG_OPENED, facts={"origin": self.log.origin}),
                Event(kind=EventKind.CONFIG_INITIALISED, facts={"authority_suite": suite.value}),
            ]
            for credential in self.foundation.found(transaction, suite, now):
                facts = {"role": credential.role.value, "key_reference": credential.key_reference}
                events.append(Event(kind=EventKind.KEY_CREATED, facts=facts))
            transaction.accounts.add(operator)
            created = {"created_account_id": operator.id, "created_account_name": operator.name}
            events.append(
                Event(kind=EventKind.ACCOUNT_CREATED, facts={**created, "roles": (Role.SYSTEM_OPERATOR.value,)})
            )
            for event in events:
                self.log.append(transaction, act_of(MACHINE, event))
            transaction.commit()
        return Initialised(account_id=operator.id, secret=secret)
