"""People who sign in, on fakes: every use case of their way in, with a clock that can be moved."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from seal_service.bootstrap.service import Guarded
from seal_service.domain.access import PUBLIC_CALLER, Account, Caller, Role
from seal_service.domain.operation import Profile
from seal_service.domain.second_factor import FactorKind, FactorPolicy, FactorRule
from seal_service.domain.session import SessionLimits
from seal_service.ports.records import Records
from seal_service.testing import (
    ChangeableClock,
    CountedEntropy,
    ListedIdentities,
    MemoryLog,
    MemoryRecords,
    PlainCodes,
    PlainPasswords,
    PlainVault,
    TrustingPersonCertificates,
)
from seal_service.testing.people import STEP_SECONDS
from seal_service.usecases.authenticate import PresentedToken
from seal_service.usecases.change_password import ChangePassword, ChangePasswordUseCase
from seal_service.usecases.identify_session import IdentifySessionUseCase
from seal_service.usecases.link_identity import LinkIdentityUseCase, UnlinkIdentityUseCase
from seal_service.usecases.log_refusal import LogRefusal
from seal_service.usecases.pass_second_factor import PassSecondFactor, PassSecondFactorUseCase
from seal_service.usecases.recover_administrator import RecoverAdministratorUseCase
from seal_service.usecases.reset_password import HandingOut, ResetPassword, ResetPasswordUseCase
from seal_service.usecases.second_factors import (
    ConfirmFactor,
    ConfirmFactorUseCase,
    EnrolFactor,
    EnrolFactorUseCase,
    ListFactorsUseCase,
    RemoveFactorUseCase,
)
from seal_service.usecases.sessions import ReadSessionUseCase, SignOut, SignOutUseCase
from seal_service.usecases.sign_in import SignIn, SignInUseCase
from seal_service.usecases.sign_in_oidc import SignInByProviderUseCase
from seal_service.usecases.signing_in import Challenged, SignedIn, WayIn

ORIGIN = "https://seal.example"
PASSWORD = "七月流火-九月授衣-一之日"
ADMINISTRATOR = Caller(
    account_id="administrator",
    name="安全管理员",
    roles=frozenset({Role.SECURITY_ADMINISTRATOR}),
)
VISITOR = Caller(account_id=None, name="public", address="192.0.2.7")
TOKENS = {
    "id-token-1": ("zhang", ("keeper", "unknown")),
    "id-token-2": ("zhang", ("keeper",)),
    "id-token-of-auditor": ("zhang", ("auditor",)),
    "id-token-of-stranger": ("stranger", ("keeper",)),
}


@dataclass
class People:
    """The use cases, and short ways to the usual situations."""

    policy: FactorPolicy | None = None
    profile: Profile = Profile.DEVELOPMENT
    records: Records = field(default_factory=MemoryRecords)
    clock: ChangeableClock = field(default_factory=ChangeableClock)
    entropy: CountedEntropy = field(default_factory=CountedEntropy)
    identities: Mapping[str, tuple[str, tuple[str, ...]]] = field(default_factory=lambda: TOKENS)

    def __post_init__(self) -> None:
        records, clock, entropy = self.records, self.clock, self.entropy
        self.log = log = MemoryLog(clock, entropy)
        refused = LogRefusal(records, log)
        rule = FactorRule(profile=self.profile, policy=self.policy)
        limits = SessionLimits(idle=timedelta(minutes=15), absolute=timedelta(hours=8))
        self.passwords, codes, vault = PlainPasswords(), PlainCodes(), PlainVault()
        self.certificates = TrustingPersonCertificates()
        provider = ListedIdentities(self.identities)
        way_in = WayIn(log, entropy, rule, ORIGIN)
        roles = {"keeper": Role.SEAL_KEEPER, "auditor": Role.AUDITOR}
        self.sign_in_use_case = SignInUseCase(records, log, clock, self.passwords, way_in)
        self.second = PassSecondFactorUseCase(records, log, clock, vault, codes, self.certificates, way_in)
        self.by_provider = SignInByProviderUseCase(records, log, clock, provider, roles, way_in)
        self.identify = IdentifySessionUseCase(records, log, clock, rule, limits)
        self.read = Guarded(ReadSessionUseCase(records, clock, limits), refused)
        self.sign_out = Guarded(SignOutUseCase(records, log, clock), refused)
        self.change = Guarded(ChangePasswordUseCase(records, log, clock, self.passwords), refused)
        handing_out = HandingOut(records, log, clock, entropy, self.passwords)
        self.recover = Guarded(RecoverAdministratorUseCase(handing_out), refused)
        self.reset = Guarded(ResetPasswordUseCase(handing_out), refused)
        self.enrol = Guarded(
            EnrolFactorUseCase(records, log, clock, entropy, vault, codes, self.certificates, rule, ORIGIN), refused
        )
        self.confirm = Guarded(
            ConfirmFactorUseCase(records, log, clock, vault, codes, self.certificates, ORIGIN), refused
        )
        self.list_factors = Guarded(ListFactorsUseCase(records), refused)
        self.remove = Guarded(RemoveFactorUseCase(records, log, clock, rule), refused)
        self.link = Guarded(LinkIdentityUseCase(records, log, clock, provider), refused)
        self.unlink = Guarded(UnlinkIdentityUseCase(records, log, clock, provider), refused)

    def account(self, name: str, *roles: Role) -> Account:
        """An account without a way in."""
        account = Account(
            id=name,
            name=name,
            roles=frozenset(roles or {Role.SEAL_KEEPER}),
            unit_id=None,
            secret_hash="x",
            created_at=self.clock.now(),
        )
        with self.records.write() as transaction:
            transaction.accounts.add(account)
            transaction.commit()
        return account

    def person(self, name: str = "zhang", *roles: Role, password: str = PASSWORD) -> Account:
        """An account whose person has changed the password that was handed out."""
        account = self.account(name, *roles)
        given = self.reset(ADMINISTRATOR, ResetPassword(account_id=name))
        caller = self.caller(self.signed_in(name, given.password))
        self.change(caller, ChangePassword(present=given.password, new=password))
        self.sign_out_everywhere(caller)
        return account

    def signed_in_after_reset(self, name: str) -> SignedIn:
        """A new person whose session is not whole yet."""
        self.account(name)
        return self.signed_in(name, self.reset(ADMINISTRATOR, ResetPassword(account_id=name)).password)

    def sign_out_everywhere(self, caller: Caller) -> None:
        """End what was opened."""
        self.sign_out(caller, SignOut(everywhere=True))

    def sign_in(self, name: str = "zhang", password: str = PASSWORD) -> SignedIn | Challenged:
        """With a password."""
        return self.sign_in_use_case(VISITOR, SignIn(account=name, password=password))

    def signed_in(self, name: str = "zhang", password: str = PASSWORD) -> SignedIn:
        """With a password that is enough."""
        answer = self.sign_in(name, password)
        assert isinstance(answer, SignedIn)
        return answer

    def challenged(self, name: str = "zhang", password: str = PASSWORD) -> Challenged:
        """With a password that is not enough."""
        answer = self.sign_in(name, password)
        assert isinstance(answer, Challenged)
        return answer

    def caller(self, signed_in: SignedIn) -> Caller:
        """Whom the session stands for now."""
        return self.identify(PUBLIC_CALLER, PresentedToken(token=signed_in.token, address="192.0.2.7"))

    def code(self, steps: int = 0) -> str:
        """The code of now, or of some steps later."""
        return f"{int(self.clock.now().timestamp()) // STEP_SECONDS + steps:06d}"[-6:]

    def pass_code(self, challenge: str, code: str | None = None) -> SignedIn:
        """With a one-time code."""
        return self.second(VISITOR, PassSecondFactor(challenge=challenge, code=code or self.code()))

    def with_totp(self, name: str = "zhang") -> str:
        """Enrol a TOTP key in a session of its own; the factor's id."""
        caller = self.caller(self.signed_in(name))
        made = self.enrol(caller, EnrolFactor(kind=FactorKind.TOTP))
        self.confirm(caller, ConfirmFactor(factor_id=made.factor.id, code=self.code()))
        self.sign_out_everywhere(caller)
        self.clock.forward(timedelta(minutes=2))
        return made.factor.id

    def entries(self, kind: str) -> list[dict[str, Any]]:
        """The log's entries of a kind: what they say, with the result."""
        assert isinstance(self.records, MemoryRecords)
        rows = (row for row in self.records.state.entries.values() if row.kind.value == kind)
        return [{**json.loads(row.canon), "result": row.result, "account_id": row.account_id} for row in rows]
