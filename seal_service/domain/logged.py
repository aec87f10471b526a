"""入日志: whether a seal on a document is one that the signing log tells of (article 22). Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from seal_service.domain.events import EventKind
from seal_service.domain.verdict import Check, Indication, Outcome, SignatureReport, SubIndication

CHECK = "logged"

Prefix = Callable[[int], str | None]
"""SHA-256, hexadecimal, of a file's first bytes; None when they are not what a seal's revision was appended to."""


class Inclusion(StrEnum):
    """How far an entry is in the tree."""

    PUBLISHED = "published"
    """Under a checkpoint that the log's key signed."""
    AWAITED = "awaited"
    """Younger than the time by which the log promises to publish it."""
    OVERDUE = "overdue"
    UNPUBLISHED = "unpublished"
    """The log publishes nothing yet: it was never begun."""
    CONTRADICTED = "contradicted"
    """The published tree has another entry in its place, or is not what the log's key signed."""
    UNANSWERED = "unanswered"
    """What would tell is not at hand: a file of the published log, or the log's key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFacts:
    """日志条目, as far as a seal is compared with it; what it does not say is None."""

    kind: str
    entry_id: str
    leaf_hash: str
    """Hexadecimal."""
    seal_code: str | None = None
    certificate_serial: str | None = None
    """Hexadecimal."""
    signature_value: str | None = None
    """Hexadecimal."""
    intent_id: str | None = None
    intent_leaf_hash: str | None = None
    document_sha256: str | None = None
    document_size: int | None = None
    repaired_sha256: str | None = None
    """Of what was sealed in the place of a damaged document."""
    repaired_size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedUse:
    """用印 as the log tells of it."""

    intent: EntryFacts | None
    """None when only the end is shown: a proof of it names the intent by its leaf hash."""
    end: EntryFacts | None
    inclusion: Inclusion
    """Of whichever of the two is less far."""
    tree_size: int | None = None
    """Of the checkpoint."""
    given_key: str | None = None
    """The log's key, name and id, by which a proof shows it, where whoever asks gave that key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenUses:
    """What proofs show that were given with a document: the ends of uses, each in a published tree."""

    uses: tuple[LoggedUse, ...] = ()
    refused: tuple[str, ...] = ()
    """Why others of the given proofs show nothing."""
    given_keys: int = 0
    """How many log keys whoever asks gave; 0: the service's own was believed."""

    def of(self, seal: SealOnDocument) -> LoggedUse | None:
        """The use of a seal, by the intent that it names; the one with its signature value, if there are several."""
        named = [one for one in self.uses if one.end and one.end.intent_leaf_hash == seal.intent_leaf_hash]
        exact = (one for one in named if one.end and one.end.signature_value == seal.signature_value)
        return next(exact, named[0] if named else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class SealOnDocument:
    """签章, as far as it is compared with the log."""

    intent_leaf_hash: str | None
    """Hexadecimal; inside the signed bytes."""
    signature_value: str
    """Hexadecimal."""
    certificate_serial: str
    """Hexadecimal."""
    seal_code: str | None
    """By the certificate's subject."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """The answer, and what it makes of an indication that was TOTAL_PASSED."""

    outcome: Outcome
    zh: str
    en: str
    instead: Indication | None = None
    """None: the indication stays."""


def unlogged() -> Logged:
    """A seal of this log without the intent's leaf hash in its signed bytes."""
    return _missing(
        "签名中没有日志条目：在系统之外制作", "its signed bytes name no log entry: it was made outside the log"
    )


def not_found() -> Logged:
    """A seal of this log whose intent is not there."""
    return _missing(
        "日志中没有其用印意向：在系统之外制作，或日志条目已被删除",
        "the log has no such intent: it was made outside the log, or its entry was deleted",
    )


def unproven(reasons: tuple[str, ...] = ()) -> Logged:
    """A seal for which none of the given proofs is."""
    told = "".join(f"; {one}" for one in reasons)
    return Logged(
        outcome=Outcome.UNKNOWN,
        zh="所给证明均不涉及该印章",
        en=f"none of the given proofs is of this seal{told}",
        instead=Indication.INDETERMINATE,
    )


def not_asked() -> Logged:
    """A seal that names a log entry, where there is neither log nor proof to ask."""
    return Logged(
        outcome=Outcome.SKIPPED,
        zh="未核对日志：需要收录证明和日志公钥",
        en="not checked: give the proof of its log entry and the log's key, or ask the service that made it",
    )


def not_of_this_log() -> Logged:
    """A signature by a stranger's certificate."""
    return Logged(outcome=Outcome.SKIPPED, zh="非本系统制发的印章，不在本日志中", en="not a seal of this log")


def made_before() -> Logged:
    """A seal without log entry that may have been applied before the seal was imported here."""
    return Logged(
        outcome=Outcome.UNKNOWN,
        zh="没有日志条目：可能早于印章迁入本系统",
        en="its signed bytes name no log entry: it may have been applied before the seal was imported here",
    )


def judged(seal: SealOnDocument, use: LoggedUse, prefix: Prefix) -> Logged:
    """Whether the use that was found by the intent's leaf hash is this seal's: the first condition that is not met."""
    contradiction = _against_intent(seal, use) or _against_end(seal, use) or _against_document(use, prefix)
    if contradiction is not None:
        return Logged(outcome=Outcome.FAIL, zh=contradiction[0], en=contradiction[1], instead=Indication.TOTAL_FAILED)
    return _included(use)


def on_document(report: SignatureReport) -> SealOnDocument | None:
    """A report's signature as it is compared with the log; None of one that cannot be: it has not been read."""
    if report.signed is None or report.signer is None:
        return None
    return SealOnDocument(
        intent_leaf_hash=report.intent_leaf_hash,
        signature_value=report.signed.value,
        certificate_serial=report.signer.serial,
        seal_code=report.seal.code if report.seal else None,
    )


def judged_by_proofs(report: SignatureReport, proven: ProvenUses | None, prefix: Prefix) -> SignatureReport:
    """The report of a signature by the proofs that were given, offline; None: there is nothing to judge by.

    With proofs to judge by, what is a seal by its certificate's subject, or names a log entry, passes only by one.
    """
    seal = on_document(report)
    if seal is None or (seal.intent_leaf_hash is None and (proven is None or seal.seal_code is None)):
        return report
    if proven is None:
        return with_logged(report, not_asked())
    if seal.intent_leaf_hash is None:
        return with_logged(report, unlogged())
    use = proven.of(seal)
    return with_logged(report, unproven(proven.refused) if use is None else judged(seal, use, prefix))


def with_logged(report: SignatureReport, logged: Logged) -> SignatureReport:
    """The report with the check in the place of an earlier one; a worse indication stays as it is."""
    check = Check(id=CHECK, outcome=logged.outcome, zh=logged.zh[:500], en=logged.en[:500])
    checks = (*(one for one in report.checks if one.id != CHECK), check)
    report = replace(report, checks=checks)
    passed = report.indication is Indication.TOTAL_PASSED
    if logged.instead is None or not (
        passed or (logged.instead is Indication.TOTAL_FAILED and report.indication is Indication.INDETERMINATE)
    ):
        return report
    return replace(report, indication=logged.instead, sub_indication=SubIndication.NOT_LOGGED)


_Words = tuple[str, str]
"""Chinese, English."""


def _against_intent(seal: SealOnDocument, use: LoggedUse) -> _Words | None:
    intent = use.intent
    if use.inclusion is Inclusion.CONTRADICTED:
        return "公布的日志树与日志条目矛盾", "the published tree contradicts its log entries"
    if intent is None:
        return None
    if intent.leaf_hash != seal.intent_leaf_hash:
        return "日志条目杂凑值与签名中的不符", "the log entry is not the one that the signed bytes name"
    if intent.kind != EventKind.SEAL_INTENT:
        return "所指日志条目不是用印意向", f"the log entry that it names is no intent but {intent.kind}"
    return _against_seal(seal, intent, "用印意向", "the intent")


def _against_end(seal: SealOnDocument, use: LoggedUse) -> _Words | None:
    end = use.end
    if end is None:
        return "该用印未完成，印章文件未曾交付", "the use has not been completed: no sealed document was given out"
    if end.kind == EventKind.SEAL_FAILED:
        return "日志记载该用印失败", "by the log the use failed: no sealed document was given out"
    if end.kind == EventKind.SEAL_ABANDONED:
        return "日志记载该用印已放弃", "by the log the use was abandoned: no sealed document was given out"
    if end.kind != EventKind.SEAL_COMPLETED:
        return "所指日志条目不是用印完成", f"the entry that ends the use is not seal.completed but {end.kind}"
    other_id = use.intent is not None and end.intent_id != use.intent.entry_id
    if other_id or end.intent_leaf_hash is None or end.intent_leaf_hash != seal.intent_leaf_hash:
        return "用印完成条目指向另一用印意向", "the completed entry names another intent"
    if end.signature_value is None or end.signature_value != seal.signature_value:
        return "日志记载的是另一签名值", "the completed entry has another signature value"
    return _against_seal(seal, end, "用印完成条目", "the completed entry")


def _against_seal(seal: SealOnDocument, entry: EntryFacts, zh: str, en: str) -> _Words | None:
    # A certificate whose subject its authority chose does not tell the seal's code; its serial number does.
    if entry.seal_code is None or seal.seal_code not in (None, entry.seal_code):
        return f"{zh}属于另一印章", f"{en} is of another seal"
    if entry.certificate_serial is None or _number(entry.certificate_serial) != _number(seal.certificate_serial):
        return f"{zh}属于另一证书", f"{en} is of another certificate"
    return None


def _against_document(use: LoggedUse, prefix: Prefix) -> _Words | None:
    """The bytes before the seal's revision are those that were given to be sealed, or what their repair came to."""
    end, intent = use.end, use.intent
    if end is None:  # which `_against_end` tells
        return None
    if end.repaired_sha256 is not None and end.repaired_size is None:
        return None  # an entry of before sizes of repairs were logged; its signature value is over the same bytes
    if intent is not None and (intent.document_sha256, intent.document_size) != (
        end.document_sha256,
        end.document_size,
    ):
        return "用印意向与用印完成的文件不同", "intent and completed entry are of different documents"
    expected, size = end.document_sha256, end.document_size
    if end.repaired_sha256 is not None:
        expected, size = end.repaired_sha256, end.repaired_size
    if size is None or expected is None or prefix(size) != expected:
        return "日志记载的是另一文件", "the log entry is of another document than the one before the seal"
    return None


def _included(use: LoggedUse) -> Logged:
    if use.inclusion is Inclusion.PUBLISHED:
        zh, en = (
            f"印章在公布的日志中（{use.tree_size} 条）",
            f"the seal is in the published log of {use.tree_size} entries",
        )
        if use.given_key is not None:
            zh, en = f"{zh}，依据验证者所给日志公钥 {use.given_key}", f"{en}, by the given key {use.given_key}"
        return Logged(outcome=Outcome.PASS, zh=zh, en=en)
    if use.inclusion is Inclusion.AWAITED:
        return Logged(
            outcome=Outcome.PASS,
            zh="印章在日志中，尚待公布",
            en="the seal is in the log and is about to be published",
        )
    if use.inclusion is Inclusion.UNPUBLISHED:
        return Logged(
            outcome=Outcome.UNKNOWN,
            zh="印章在日志中，但日志尚未公布",
            en="the seal is in the log, which publishes nothing yet: its operator alone vouches for it",
        )
    if use.inclusion is Inclusion.UNANSWERED:
        return Logged(
            outcome=Outcome.UNKNOWN,
            zh="有日志条目，但公布的日志目前无法读取，请稍后再验",
            en="the log has its entries, but cannot answer now: a published file or the log's key is not at hand",
            instead=Indication.INDETERMINATE,
        )
    return Logged(
        outcome=Outcome.UNKNOWN,
        zh="印章在日志中，但逾期未公布",
        en="the seal is in the log, but was not published in the time that the log promises",
        instead=Indication.INDETERMINATE,
    )


def _missing(zh: str, en: str) -> Logged:
    """Nobody can tell a forged seal from one whose entry was deleted, so that it is not said to be forged."""
    return Logged(outcome=Outcome.FAIL, zh=zh, en=en, instead=Indication.INDETERMINATE)


def _number(serial: str) -> str:
    return serial.lstrip("0").lower()
