"""就绪检查: what the service stands on, when each of it fails, and what mends it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from seal_service.domain.authority import ended, should_be_rotated
from seal_service.domain.filing import Backlog
from seal_service.domain.issuance import AuthorityCredential
from seal_service.domain.trust import TrustedCertificate, overdue

LAST_DAYS = timedelta(days=30)
"""Before a confirmation is overdue it is warned of."""
SMALL_VOLUME_BYTES = 16 << 20
"""What has to be free on a volume that holds keys alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DependencyKind:
    """A kind of things that the service stands on."""

    name: str
    not_ready: str
    """When it is not ready."""
    age: str | None
    """What its age tells; None: it has none."""
    mend: str
    """The command or setting that mends it."""


KINDS: tuple[DependencyKind, ...] = (
    DependencyKind(
        name="instance",
        not_ready="told by `seal doctor` alone: there is none, or it cannot be opened",
        age=None,
        mend="`seal init` makes one in SEAL_HOME; `seal check-config` says what the settings name",
    ),
    DependencyKind(
        name="database",
        not_ready="it does not answer, or a commit would not survive a loss of power",
        age=None,
        mend="start the database that SEAL_DATABASE_URL names; `seal doctor` says how it commits",
    ),
    DependencyKind(
        name="schema",
        not_ready="it is older or newer than this program's",
        age=None,
        mend="stop the service, back up, `seal db upgrade`",
    ),
    DependencyKind(
        name="keys",
        not_ready="the HSM does not answer, or keys of the authority or of seals lie in files where the production "
        "profile takes them from an HSM alone",
        age=None,
        mend="`seal check-config` says what it finds of module, token and PIN; `seal keys list` where each key is",
    ),
    DependencyKind(
        name="key_process",
        not_ready="the key process does not answer, so that no seal signs that a keeper has taken into custody; where "
        "none has yet, but SEAL_ACTIVATION asks for it, that is a warning, and elsewhere it is not told",
        age="since it began: what was activated before then is not any more",
        mend="`seal serve` runs it and starts it again; its log says why it ended; keepers then activate their seals "
        "again",
    ),
    DependencyKind(
        name="authority",
        not_ready="a certificate of the service itself has ended or not begun, or its key is gone or changed; of each "
        "role one line, and one of the responder of each earlier issuing certificate that has not ended",
        age="since the certificate began",
        mend="bring the key back from the backup of SEAL_KEYS; `seal keys rotate` makes a new one before the end",
    ),
    DependencyKind(
        name="crl",
        not_ready="our own revocation lists cannot be signed",
        age="since the older of the two lists was made",
        mend="as for `authority:root` and `authority:issuing`",
    ),
    DependencyKind(
        name="revocation",
        not_ready="the newest revocation data of an outside issuer, of seals or of a time-stamping authority, is older "
        "than SEAL_CRL_HOURS; one line for each",
        age="since that data was produced; without any, since it was first missed",
        mend="`seal trust list` tells the addresses that are allowed; see that the issuer's answers",
    ),
    DependencyKind(
        name="trust",
        not_ready="an entered trust anchor was confirmed longer ago than SEAL_TRUST_DAYS",
        age="since the oldest confirmation",
        mend="compare the digest with what its owner publishes, then `seal trust confirm`, or `seal trust remove`",
    ),
    DependencyKind(
        name="timestamp",
        not_ready="for two hours none of SEAL_TIMESTAMP_URLS gave a time-stamp that is trusted, and the embedded unit "
        "is switched off",
        age="since the newest time-stamp from outside",
        mend="`seal check-config --online` says what each answers",
    ),
    DependencyKind(
        name="log",
        not_ready="the newest entry cannot be read, or its bytes no longer have its hash",
        age="since the newest entry",
        mend="change nothing more, keep all files, and compare with the last backup",
    ),
    DependencyKind(
        name="publication",
        not_ready="the log is halted: it is behind its guard or a witness, or contradicts them, or its guard is "
        "missing, or a published file contradicts its tree, or a waiting entry was changed, so that nothing is sealed; "
        "or, in production, it was never initialised. A warning says that entries wait for long, that a witness does "
        "not cosign or none is named, or that the guard shares the home's volume",
        age="since the oldest entry was written that has no place in the tree",
        mend="`seal log init` begins it; what halted it is told here and by `seal log fsck`, and `seal log resume` "
        "asks a witness again; `seal serve` publishes",
    ),
    DependencyKind(
        name="reservations",
        not_ready="a seal use is open for longer than twice SEAL_RESERVATION_SECONDS: an intent without its end",
        age="since the oldest of them began",
        mend="`seal reconcile`, then look why `seal serve` did not do it",
    ),
    DependencyKind(
        name="clock",
        not_ready="this machine's time differs by more than SEAL_CLOCK_SECONDS from the database's or from a "
        "time-stamp's, or lies before the newest log entry",
        age=None,
        mend="synchronise the clock (`chronyc tracking`, `timedatectl`); nothing is sealed with a wrong time",
    ),
    DependencyKind(
        name="disk",
        not_ready="less than SEAL_DISK_RESERVE_BYTES are free where the home and the documents are, or 16 MiB where "
        "the keys are",
        age=None,
        mend="make room, or lower SEAL_DISK_RESERVE_BYTES",
    ),
    DependencyKind(
        name="maintenance",
        not_ready="nothing was reconciled for five minutes while the service was being served",
        age="since it last ran",
        mend="`seal serve` runs it; its log says why it fails",
    ),
    DependencyKind(
        name="filing",
        not_ready="never, since seals are applied while the province is away: a warning says that it refused a filing, "
        "or has not acknowledged one for SEAL_FILING_HOURS",
        age="since the oldest filing that waits was written",
        mend="`seal filing list --state refused` says why; `seal filing retry` once it is mended",
    ),
)  # fmt: skip
"""Every kind, in the order in which they are told."""

_KIND_OF = {kind.name: kind for kind in KINDS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """One thing that the service stands on."""

    name: str
    """Its kind, and after a colon which of the kind. Everyone may read it."""
    ready: bool
    detail: str
    """For the operator."""
    age: timedelta | None = None
    """How old it is, or since when it is as it is; see the kind."""
    warning: bool = False
    """It is ready, but something wants to be looked after."""

    @property
    def age_seconds(self) -> int | None:
        """The age in whole seconds, 0 for what lies in the future; None where it has none."""
        return None if self.age is None else max(0, int(self.age.total_seconds()))

    @property
    def mend(self) -> str | None:
        """The command or setting that mends it; None when there is nothing to mend."""
        kind = _KIND_OF.get(self.name.partition(":")[0])
        return None if kind is None or (self.ready and not self.warning) else kind.mend


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """What is allowed before the service counts as not ready."""

    reservation: timedelta
    revocation: timedelta
    """Age of an outside issuer's revocation data."""
    confirmation: timedelta
    """Time since a trust anchor was last confirmed."""
    clock: timedelta
    disk_bytes: int
    filing: timedelta = timedelta(hours=24)
    """Age of the oldest filing that is not acknowledged."""
    timestamp: timedelta = timedelta(hours=2)
    maintenance: timedelta = timedelta(minutes=5)


def judge_credential(name: str, credential: AuthorityCredential, now: datetime) -> Dependency:
    """A certificate of our own: valid now, with a warning from when it should be rotated on."""
    not_before, not_after, age = credential.not_before, credential.not_after, now - credential.not_before
    rotate = f"`seal keys rotate {credential.role.value}`"
    if now < not_before:
        begins = not_before.isoformat(timespec="seconds")
        return Dependency(name=name, ready=False, detail=f"the certificate begins only {begins}", age=age)
    if ended(credential, now):
        end = not_after.isoformat(timespec="seconds")
        return Dependency(name=name, ready=False, detail=f"the certificate ended {end}: {rotate}", age=age)
    warning = should_be_rotated(credential, now)
    until = f"until {not_after.isoformat(timespec='seconds')}"
    detail = f"{until}, in {(not_after - now).days} days: {rotate}" if warning else until
    return Dependency(name=name, ready=True, detail=detail, age=age, warning=warning)


def judge_trust(trusted: Sequence[TrustedCertificate], now: datetime, allowed: timedelta) -> Dependency:
    """Entered anchors: each confirmed lately enough."""
    anchors = [one for one in trusted if one.is_anchor and one.removed_at is None]
    if not anchors:
        return Dependency(name="trust", ready=True, detail="no anchor was entered")
    age = now - min(one.confirmed_at for one in anchors)
    late = [one.id for one in anchors if overdue(one, now, allowed)]
    if late:
        detail = f"not confirmed for more than {allowed.days} days: {', '.join(late)}"
        return Dependency(name="trust", ready=False, detail=detail, age=age)
    soon = [one.id for one in anchors if overdue(one, now + LAST_DAYS, allowed)]
    detail = f"to be confirmed within 30 days: {', '.join(soon)}" if soon else f"{len(anchors)} anchors, all confirmed"
    return Dependency(name="trust", ready=True, detail=detail, age=age, warning=bool(soon))


def judge_filing(backlog: Backlog, configured: bool, now: datetime, allowed: timedelta) -> Dependency:
    """备案: always ready, with a warning for what the province refused or has not taken for long."""
    age = None if backlog.oldest_at is None else now - backlog.oldest_at
    waiting = f"{backlog.waiting} filings wait" if backlog.waiting else "nothing waits"
    if not configured:
        detail = f"no provincial registry is configured (SEAL_FILING_URL): {waiting}"
        return Dependency(name="filing", ready=True, detail=detail, age=age)
    late = age is not None and age > allowed
    detail = f"{waiting}, for {backlog.refused} seals the next was refused" if backlog.refused else waiting
    return Dependency(name="filing", ready=True, detail=detail, age=age, warning=late or bool(backlog.refused))


def judge_space(name: str, free_bytes: int | None, reserve_bytes: int) -> Dependency:
    """A volume: enough is free."""
    if free_bytes is None:
        return Dependency(name=name, ready=False, detail="it cannot be told how much is free: is it there?")
    told = f"{free_bytes / (1 << 20):.0f} MiB free, {reserve_bytes / (1 << 20):.0f} MiB are the reserve"
    return Dependency(name=name, ready=free_bytes >= reserve_bytes, detail=told)
