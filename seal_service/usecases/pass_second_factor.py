"""第二因素验证: a one-time code, a UKey's signature or a client certificate turns a challenge into a session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from seal_service.domain.access import Account, Caller, Permission
from seal_service.domain.errors import CertificateRefused, InvalidInput
from seal_service.domain.password import is_locked
from seal_service.domain.second_factor import FactorKind, SecondFactor, first_new_counter
from seal_service.domain.session import LoginChallenge
from seal_service.ports.people import OneTimeCodes, PersonCertificates
from seal_service.ports.records import Records, SigningLog, Transaction
from seal_service.ports.system import Clock, Vault
from seal_service.usecases.signing_in import (
    FirstProof,
    SignedIn,
    WayIn,
    count_failure,
    log_refusal,
    refusal,
    token_digest,
)


def secret_context(factor_id: str) -> bytes:
    """Under what a factor's secret is encrypted: it opens for that factor alone."""
    return f"second factor {factor_id}".encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class PassSecondFactor:
    """第二因素 as presented: a code, else a signature, else the certificate of the client's TLS connection."""

    challenge: str
    code: str | None = None
    signature: bytes | None = None
    presented_certificate: bytes | None = None

    @property
    def kind(self) -> FactorKind:
        """What is presented; InvalidInput for nothing."""
        if self.code is not None:
            return FactorKind.TOTP
        if self.signature is not None:
            return FactorKind.UKEY
        if self.presented_certificate is not None:
            return FactorKind.CERTIFICATE
        raise InvalidInput("Neither a code nor a signature nor a client certificate was presented", field="code")


@dataclass(frozen=True, slots=True)
class _Shown:
    """What was presented and holds by itself: of which factor, and with which counters."""

    factor_id: str
    counters: Sequence[int] = ()


@dataclass(frozen=True)
class PassSecondFactorUseCase:
    """第二因素验证. Raises Unauthenticated, the same for every reason; InvalidInput when nothing is presented.

    What takes long (signatures, chains, revocation) is done outside the transaction. Under the locks of challenge and
    login it is then asked whether both still stand and whether the code is new: of two sign-ins with the same code
    exactly one passes.
    """

    permission: ClassVar[Permission] = Permission.PUBLIC
    records: Records
    log: SigningLog
    clock: Clock
    vault: Vault
    codes: OneTimeCodes
    certificates: PersonCertificates
    way_in: WayIn

    def __call__(self, caller: Caller, command: PassSecondFactor) -> SignedIn:
        """The session."""
        kind = command.kind
        digest = token_digest(command.challenge)
        with self.records.read() as transaction:
            challenge = transaction.challenges.lock(digest)
            factors = () if challenge is None else transaction.factors.of_account(challenge.account_id)
        shown = None
        if challenge is not None and kind in self.way_in.rule.asked(factors):
            shown = self._shown(challenge, [one for one in factors if one.usable and one.kind is kind], command)
        with self.records.write() as transaction:
            answer = self._decided(transaction, caller, digest, shown)
            transaction.commit()
        if answer is None:
            raise refusal()
        return answer

    def _shown(
        self, challenge: LoginChallenge, factors: Sequence[SecondFactor], command: PassSecondFactor
    ) -> _Shown | None:
        now = self.clock.now()
        for one in factors:
            if command.code is not None:
                key = self.vault.decrypt(one.secret or b"", secret_context(one.id))
                counters = self.codes.counters(key, command.code, now)
                if counters:
                    return _Shown(one.id, counters)
            elif one.certificate is not None and self._holds(challenge, one.certificate, command):
                return _Shown(one.id)
        return None

    def _holds(self, challenge: LoginChallenge, enrolled: bytes, command: PassSecondFactor) -> bool:
        """Whether the enrolled certificate was shown, and is still one that people sign in by."""
        if command.signature is not None:
            message = self.way_in.to_sign(challenge)
            if not self.certificates.is_signed(enrolled, message, command.signature):
                return False
        elif command.presented_certificate != enrolled:
            return False
        try:
            self.certificates.judged(enrolled)
        except (CertificateRefused, InvalidInput):
            return False
        return True

    def _decided(self, transaction: Transaction, caller: Caller, digest: str, shown: _Shown | None) -> SignedIn | None:
        now = self.clock.now()
        challenge = transaction.challenges.lock(digest)
        if challenge is None or not challenge.open_at(now):
            log_refusal(self.log, transaction, caller, None, "no_such_challenge", {})
            return None
        login = transaction.logins.lock(challenge.account_id)
        account = _usable(transaction.accounts.find(challenge.account_id))
        if account is None or login is None or is_locked(login, now):
            reason = "no_such_person" if account is None or login is None else "locked"
            log_refusal(self.log, transaction, caller, account, reason, {})
            return None
        if challenge.evidence is not None and transaction.sessions.opened_by(challenge.evidence):
            log_refusal(self.log, transaction, caller, account, "id_token_used_before", {})
            return None
        factors = {one.id: one for one in transaction.factors.of_account(account.id) if one.usable}
        factor = None if shown is None else factors.get(shown.factor_id)
        counter = None
        if factor is not None and shown is not None and factor.kind is FactorKind.TOTP:
            counter = first_new_counter(shown.counters, factor.last_counter)
        if factor is None or (factor.kind is FactorKind.TOTP and counter is None):
            transaction.challenges.replace(replace(challenge, attempts=challenge.attempts + 1))
            facts = count_failure(transaction, login, now)
            reason = "wrong_second_factor" if factor is None else "code_used_before"
            log_refusal(self.log, transaction, caller, account, reason, facts)
            return None
        transaction.challenges.replace(replace(challenge, ended_at=now))
        if counter is not None:
            transaction.factors.replace(replace(factor, last_counter=counter))
        proof = FirstProof(
            account=account, login=login, way=challenge.way, roles=challenge.roles, evidence=challenge.evidence
        )
        return self.way_in.opened(transaction, caller, proof, factor.kind, now)


def _usable(account: Account | None) -> Account | None:
    return account if account is not None and account.disabled_at is None else None
