"""第二因素: what a person has beside a password, and which kinds an instance takes (等保三级 8.1.4.1 d)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from seal_service.domain.operation import Profile

CONFIRMATION = timedelta(minutes=10)
"""How long an enrolment waits for its proof."""
MOST_FACTORS = 5
WINDOW = 1
"""Steps of 30 seconds that a code may be early or late."""


class FactorKind(StrEnum):
    """第二因素类别."""

    TOTP = "totp"
    """动态口令: a time-based code (RFC 6238, HMAC-SHA-256): for pilots."""
    CERTIFICATE = "certificate"
    """客户端证书: a TLS client certificate that a trusted proxy hands on (RFC 9440)."""
    UKEY = "ukey"
    """智能密码钥匙: signs a challenge."""


class KeyFamily(StrEnum):
    """密钥类别 of a certificate by which a person signs in."""

    RSA = "rsa"
    ECDSA = "ecdsa"
    SM2 = "sm2"
    """Known, and not taken before national cryptography is in."""


SUPPORTED_FAMILIES = frozenset({KeyFamily.RSA, KeyFamily.ECDSA})


class FactorPolicy(StrEnum):
    """第二因素要求: what an instance asks of people beside the password."""

    OFF = "off"
    TOTP = "totp"
    ANY = "any"
    CERTIFICATE = "certificate"
    """A client certificate or a UKey."""


_HARDWARE = frozenset({FactorKind.CERTIFICATE, FactorKind.UKEY})
_ACCEPTED = {
    FactorPolicy.OFF: frozenset(FactorKind),
    FactorPolicy.TOTP: frozenset(FactorKind),
    FactorPolicy.ANY: frozenset(FactorKind),
    FactorPolicy.CERTIFICATE: _HARDWARE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactor:
    """第二因素 of one account."""

    id: str
    account_id: str
    kind: FactorKind
    secret: bytes | None
    """Encrypted: the TOTP key; of a UKey that waits for its proof the challenge."""
    certificate: bytes | None
    """DER."""
    certificate_sha256: str | None
    enrolled_at: datetime
    confirmed_at: datetime | None = None
    last_counter: int | None = None
    """Of the last code that was taken: none is taken twice."""
    disabled_at: datetime | None = None

    @property
    def usable(self) -> bool:
        """Whether it was proven and not removed."""
        return self.confirmed_at is not None and self.disabled_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorRule:
    """What the settings ask for; in production a certificate or a UKey, whatever they say."""

    profile: Profile
    policy: FactorPolicy | None = None

    @property
    def effective(self) -> FactorPolicy:
        """The stricter one of profile and setting."""
        if self.profile is Profile.PRODUCTION:
            return FactorPolicy.CERTIFICATE
        return self.policy or FactorPolicy.OFF

    @property
    def accepted(self) -> frozenset[FactorKind]:
        """Kinds that count."""
        return _ACCEPTED[self.effective]

    @property
    def required(self) -> bool:
        """Whether a password alone opens nothing but the enrolment of a second factor."""
        return self.effective is not FactorPolicy.OFF

    def asked(self, factors: Iterable[SecondFactor]) -> frozenset[FactorKind]:
        """The kinds to ask for after the password: those that count, else what there is; empty: nothing to ask for.

        Someone whose factor no longer counts still proves it, and then may only enrol one that does.
        """
        held = frozenset(one.kind for one in factors if one.usable)
        return held & self.accepted or held

    def satisfied_by(self, passed: FactorKind | None) -> bool:
        """Whether a session in which this was passed is a whole one."""
        return not self.required or passed in self.accepted


def first_new_counter(offered: Iterable[int], last: int | None) -> int | None:
    """The first counter whose code was offered and which lies after the last one used; None: there is none."""
    return next((one for one in sorted(offered) if last is None or one > last), None)
