"""登录: what follows a first proof of who somebody is, and how a refusal is told and logged; shared by every way in.

Whoever is refused hears the same: that an account is unknown, locked, disabled or a machine's, or that the password or
code was wrong, stands in the log alone. A lock is told to nobody, or right guesses could be told from wrong ones while
it holds.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from seal_service.domain.access import Account, Caller, MustFirst, Role
from seal_service.domain.errors import Unauthenticated
from seal_service.domain.events import Event, EventKind, Result, Scalar, act_of
from seal_service.domain.identifiers import uuid7
from seal_service.domain.password import Login, after_failure, after_login
from seal_service.domain.second_factor import FactorKind, FactorRule
from seal_service.domain.session import (
    CHALLENGE_PREFIX,
    SESSION_PREFIX,
    LoginChallenge,
    Session,
    SessionEnd,
    Way,
    effective_roles,
    must_first,
)
from seal_service.ports.records import SigningLog, Transaction
from seal_service.ports.system import Entropy

TOKEN_BYTES = 32
_PURPOSE = "sign-in"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """已登录: the session and its token, which is told this once."""

    token: str
    session: Session
    must_first: MustFirst | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenged:
    """待第二因素: the first proof held; one of these kinds is asked for now."""

    challenge: str
    kinds: tuple[FactorKind, ...]
    to_sign: bytes
    """What a UKey signs."""
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstProof:
    """What the first proof was, and of whom."""

    account: Account
    login: Login
    way: Way
    roles: frozenset[Role] | None = None
    evidence: str | None = None


def token_digest(token: str) -> str:
    """By what a token is found: it is kept nowhere."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def message_to_sign(purpose: str, origin: str, account_id: str, nonce: bytes) -> bytes:
    """What a UKey signs: never anything else's bytes, since purpose, service and account stand before the nonce."""
    return f"seal-service {purpose}\n{origin}\n{account_id}\n".encode() + nonce


def refusal() -> Unauthenticated:
    """The one thing that whoever is refused hears."""
    return Unauthenticated("The account, password or code is wrong, or nobody may sign in with it now")


def caller_of_session(account: Account, session: Session, address: str | None, must: MustFirst | None = None) -> Caller:
    """The caller whom a session stands for."""
    return Caller(
        account_id=account.id,
        name=account.name,
        roles=effective_roles(account, session),
        unit_id=account.unit_id,
        address=address,
        session_id=session.id,
        must_first=must,
    )


def log_refusal(
    log: SigningLog,
    transaction: Transaction,
    caller: Caller,
    account: Account | None,
    reason: str,
    facts: Mapping[str, Scalar],
) -> None:
    """Enter a refused sign-in: which account was meant, if there is one, and the true reason."""
    named: dict[str, Scalar] = {} if account is None else {"named_account_id": account.id}
    event = Event(
        kind=EventKind.SESSION_REFUSED,
        result=Result.REFUSED,
        unit_id=None if account is None else account.unit_id,
        reason=reason,
        facts={**named, **facts},
    )
    log.append(transaction, act_of(caller, event))


def count_failure(transaction: Transaction, login: Login, now: datetime) -> dict[str, Scalar]:
    """Write one more failure; what the log should know of it."""
    failed = after_failure(login, now)
    transaction.logins.replace(failed)
    locked = failed.locked_until is not None and failed.locked_until > now
    return {"failures": failed.failures, "locked": locked}


def end_sessions(
    log: SigningLog,
    transaction: Transaction,
    caller: Caller,
    sessions: list[Session],
    end: SessionEnd,
    now: datetime,
) -> None:
    """End sessions of one account, each with its entry; its login is locked."""
    for session in sessions:
        transaction.sessions.replace(replace(session, ended_at=now, end=end))
        facts: dict[str, Scalar] = {"session_id": session.id, "session_account_id": session.account_id}
        event = Event(kind=EventKind.SESSION_ENDED, unit_id=caller.unit_id, reason=end.value, facts=facts)
        log.append(transaction, act_of(caller, event))


@dataclass(frozen=True, slots=True)
class WayIn:
    """From a first proof to a challenge or a session, in the acting transaction, under the login's lock."""

    log: SigningLog
    entropy: Entropy
    rule: FactorRule
    origin: str

    def after_first_proof(
        self, transaction: Transaction, caller: Caller, proof: FirstProof, now: datetime
    ) -> SignedIn | Challenged:
        """A challenge where the account has a second factor, else a session."""
        kinds = self.rule.asked(transaction.factors.of_account(proof.account.id))
        if not kinds:
            return self.opened(transaction, caller, proof, None, now)
        token = self._token(CHALLENGE_PREFIX)
        challenge = LoginChallenge(
            id=uuid7(now, self.entropy.token(10)),
            token_sha256=token_digest(token),
            account_id=proof.account.id,
            way=proof.way,
            roles=proof.roles,
            evidence=proof.evidence,
            nonce=self.entropy.token(TOKEN_BYTES),
            opened_at=now,
        )
        transaction.challenges.add(challenge)
        return Challenged(
            challenge=token,
            kinds=tuple(sorted(kinds)),
            to_sign=self.to_sign(challenge),
            expires_at=challenge.expires_at,
        )

    def opened(
        self,
        transaction: Transaction,
        caller: Caller,
        proof: FirstProof,
        factor: FactorKind | None,
        now: datetime,
    ) -> SignedIn:
        """A session, of evidence that opened none before."""
        token = self._token(SESSION_PREFIX)
        session = Session(
            id=uuid7(now, self.entropy.token(10)),
            token_sha256=token_digest(token),
            account_id=proof.account.id,
            way=proof.way,
            factor=factor,
            roles=proof.roles,
            address=caller.address,
            opened_at=now,
            last_seen_at=now,
            evidence=proof.evidence,
        )
        login = after_login(proof.login, now)
        transaction.sessions.add(session)
        transaction.logins.replace(login)
        must = must_first(session, login, self.rule, now)
        acting = caller_of_session(proof.account, session, caller.address, must)
        event = Event(
            kind=EventKind.SESSION_OPENED,
            unit_id=proof.account.unit_id,
            facts={
                "session_id": session.id,
                "way": proof.way.value,
                "factor": None if factor is None else factor.value,
                "must_first": None if must is None else must.value,
            },
        )
        self.log.append(transaction, act_of(acting, event))
        return SignedIn(token=token, session=session, must_first=must)

    def to_sign(self, challenge: LoginChallenge) -> bytes:
        """What a UKey signs for a challenge."""
        return message_to_sign(_PURPOSE, self.origin, challenge.account_id, challenge.nonce)

    def _token(self, prefix: str) -> str:
        return prefix + base64.urlsafe_b64encode(self.entropy.token(TOKEN_BYTES)).rstrip(b"=").decode()
