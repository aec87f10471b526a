"""The demonstration's second half: sealing, verification, loss and the log (articles 16, 17, 21–24)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seal_service.cli.demo_registers import SCENARIO, Holder, Registers
from seal_service.cli.demo_telling import StoryBroken, Telling
from seal_service.domain.access import PUBLIC_CALLER
from seal_service.domain.errors import AuthorizationDenied, RenewalNotPossible
from seal_service.domain.placement import Placement
from seal_service.domain.seal import SealState
from seal_service.domain.use import Operator, SignatureLevel
from seal_service.domain.verdict import Indication, VerificationReport
from seal_service.formats.upload import upload_of
from seal_service.ports.documents import VerificationPolicy
from seal_service.ports.reading import LogFilter, LogStatistics, StatisticsKey
from seal_service.usecases.apply_seal import AppliedSeal, ApplySeal
from seal_service.usecases.change_status import ReportLoss
from seal_service.usecases.read_log import CountLog, LogAnswer, QueryLog
from seal_service.usecases.renew_seal import RenewSeal
from seal_service.usecases.trace import Story, Trace
from seal_service.usecases.verify_document import VerifyDocument

if TYPE_CHECKING:
    from seal_service.bootstrap import Service
    from seal_service.ports.documents import Upload

DOCUMENT_NAME = "regulation.pdf"
OFFICE_AT = Placement(page=-1, x_mm=46.0, y_mm=153.0)
BUREAU_AT = Placement(page=-1, x_mm=124.0, y_mm=153.0)
"""Where examples/regulation.pdf leaves room for two seals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """What the demonstration leaves behind."""

    content: bytes
    tampered: bytes
    report: VerificationReport


def seal_and_trace(service: Service, telling: Telling, registers: Registers, document: bytes) -> Sealed:
    """Two seals, their verification, a tampered copy, a loss, the log. StoryBroken when a step goes wrong."""
    office, bureau = registers.office, registers.bureau
    first = _command(office, upload_of(document, DOCUMENT_NAME), OFFICE_AT, SignatureLevel.B_LT, "demo-office")
    once = telling.does(
        "用印", f"{office.seal.name}, PAdES B-LT", lambda: service.apply_seal(office.system, first), _applied
    )
    telling.does(
        "重复请求",
        "the same request with its idempotency key",
        lambda: service.apply_seal(office.system, first),
        lambda again: _same(once, again),
    )
    upload = upload_of(_content(once), DOCUMENT_NAME)
    second = _command(bureau, upload, BUREAU_AT, SignatureLevel.B_LTA, "demo-bureau")
    twice = telling.does(
        "用印", f"{bureau.seal.name}, PAdES B-LTA", lambda: service.apply_seal(bureau.system, second), _applied
    )
    sealed = _content(twice)
    report = telling.does("验章", "the document with both seals", lambda: _verify(service, sealed), _passed)
    tampered = tamper(sealed, within=len(document))
    telling.does("篡改", "one byte of its first page changed", lambda: _verify(service, tampered), _failed)
    telling.refused(
        "续期",
        "before the 90 days (article 16)",
        lambda: service.renew_seal(office.person, RenewSeal(seal_code=office.seal.code)),
        RenewalNotPossible,
    )
    telling.does(
        "挂失",
        "the unit reports a loss (article 24)",
        lambda: service.report_loss(office.person, ReportLoss(seal_code=office.seal.code, reason="演示：口令遗失")),
        lambda done: _state(done.seal.state, SealState.SUSPENDED),
    )
    after_loss = _command(office, upload_of(document, DOCUMENT_NAME), OFFICE_AT, SignatureLevel.B_LT, "demo-after-loss")
    telling.refused(
        "用印", "after the loss report", lambda: service.apply_seal(office.system, after_loss), AuthorizationDenied
    )
    telling.does("验章", "what was sealed before the loss", lambda: _verify(service, sealed), _passed)
    telling.does(
        "日志查询",
        "every entry of the lost seal (article 22)",
        lambda: service.query_log(registers.auditor, QueryLog(chosen=LogFilter(seal_code=office.seal.code))),
        _entries,
    )
    telling.does(
        "日志统计",
        "by kind and result",
        lambda: service.count_log(
            registers.auditor, CountLog(keys=(StatisticsKey.KIND, StatisticsKey.RESULT), chosen=LogFilter())
        ),
        _counted,
    )
    telling.does(
        "溯源",
        "from the sealed document to everything behind it",
        lambda: service.trace(registers.auditor, Trace(document_sha256=upload_of(sealed, DOCUMENT_NAME).sha256_hex)),
        _traced,
    )
    return Sealed(content=sealed, tampered=tampered, report=report)


def tamper(sealed: bytes, *, within: int) -> bytes:
    """A copy with one byte of the original's first stream changed, as a forger of a page would."""
    start = sealed.index(b"stream", 0, within)
    position = start + (sealed.index(b"endstream", start, within) - start) // 2
    return sealed[:position] + bytes([sealed[position] ^ 0x01]) + sealed[position + 1 :]


def _command(holder: Holder, document: Upload, at: Placement, level: SignatureLevel, key: str) -> ApplySeal:
    return ApplySeal(
        seal_code=holder.seal.code,
        document=document,
        scenario=SCENARIO,
        idempotency_key=key,
        placement=at,
        level=level,
        operator=Operator(id=holder.person.identity, name=holder.person.name),
        case_number="示办〔2026〕1号",
    )


def _verify(service: Service, content: bytes) -> VerificationReport:
    command = VerifyDocument(document=upload_of(content, DOCUMENT_NAME), policy=VerificationPolicy(offline=True))
    return service.verify_document(PUBLIC_CALLER, command)


def _content(applied: AppliedSeal) -> bytes:
    if applied.content is None:
        raise StoryBroken("the sealed document was not given out")
    return applied.content


def _applied(applied: AppliedSeal) -> str:
    use = applied.use
    reached = use.level_reached.value if use.level_reached else "?"
    return f"{reached}, {len(_content(applied)):,} bytes\n日志 entry {use.terminal_entry_id}"


def _same(once: AppliedSeal, again: AppliedSeal) -> str:
    if not again.replayed or again.use.id != once.use.id or again.content != once.content:
        raise StoryBroken("the repeated request was another use")
    return "the same use and the same document; nothing was sealed twice"


def _passed(report: VerificationReport) -> str:
    seals = [one for one in report.signatures if one.kind == "pades"]
    if report.indication is not Indication.TOTAL_PASSED or len(seals) != 2:
        raise StoryBroken(_verdict(report))
    return "\n".join([_verdict(report), *(f"{one.seal.name}: {one.level}" for one in seals if one.seal)])


def _failed(report: VerificationReport) -> str:
    if report.indication is not Indication.TOTAL_FAILED:
        raise StoryBroken(f"the change was not found: {_verdict(report)}")
    return _verdict(report)


def _verdict(report: VerificationReport) -> str:
    sub = f" / {report.sub_indication.value}" if report.sub_indication else ""
    return f"{report.indication.value}{sub}, {len(report.signatures)} signatures and time-stamps"


def _state(state: SealState, expected: SealState) -> str:
    if state is not expected:
        raise StoryBroken(f"the seal is {state.value}")
    return f"{state.value} at once; its certificate is on hold"


def _entries(answer: LogAnswer) -> str:
    kinds = [row.kind.value for row in reversed(answer.page.items)]
    if "seal.denied" not in kinds or "seal.completed" not in kinds:
        raise StoryBroken(f"the log lacks entries: {kinds}")
    return f"{len(kinds)} entries: {', '.join(kinds)}"


def _counted(answer: LogStatistics) -> str:
    counted = {row.key: row.count for row in answer.rows}
    if counted.get(("seal.completed", "success")) != 2 or counted.get(("seal.denied", "refused")) != 1:
        raise StoryBroken(f"the counts are wrong: {counted}")
    shown = (f"{'/'.join(value or '' for value in row.key)} {row.count}" for row in answer.rows[:8])
    return f"{answer.upto_size} entries; {', '.join(shown)}, …"


def _traced(story: Story) -> str:
    if len(story.uses) != 2:
        raise StoryBroken(f"{len(story.uses)} uses were traced")
    lines = (
        f"{one.unit.name} → {one.seal.code} → {one.use.id}, 责任人 {one.grant.responsible_person}, "
        f"{len(one.entries)} entries"
        for one in story.uses
    )
    return "\n".join(lines)
