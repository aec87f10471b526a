"""Reserve → seal → check → log → release: what may go wrong between any two steps, and what then is true."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from seal_service.domain.errors import (
    AuthorizationDenied,
    IdempotencyKeyReused,
    OutcomeUnknown,
    SealingFailed,
    SealServiceError,
    TimestampUnavailable,
    Unavailable,
    UseInProgress,
    UseOvertaken,
)
from seal_service.domain.events import TERMINAL_KINDS, EventKind
from seal_service.domain.operation import DocumentKeeping
from seal_service.domain.use import FOR_GOOD, Operator, UseState
from seal_service.usecases.change_status import ReportLoss, ResumeSeal
from seal_service.usecases.grant_use import RevokeGrant
from seal_service.usecases.read_use import AcknowledgeDocumentUseCase, ReadUse
from seal_service.usecases.reconcile import Reconcile
from tests.city import MAKER, RESERVATION, Office

STEPS = ("prepare", "sign", "complete", "check")


def assert_invariants(office: Office, released: list[bytes]) -> None:
    """The list of docs/explanation/sealing-cycle.md."""
    state = office.records.state
    rows = list(state.entries.values())
    intents = {row.entry_id: row for row in rows if row.kind is EventKind.SEAL_INTENT}
    completed = [row for row in rows if row.kind is EventKind.SEAL_COMPLETED]
    terminals = [row.intent_id for row in rows if row.kind in TERMINAL_KINDS]
    assert len(terminals) == len(set(terminals)), "at most one terminal entry an intent"
    assert all(row.intent_id in intents for row in completed), "completed ⇒ exactly one intent"
    uses = [use for use in state.uses.values() if use.state is UseState.COMPLETED]
    assert {use.id for use in uses} == {row.use_id for row in completed}, "completed ⇔ logged"
    digests = {use.sealed_sha256 for use in uses}
    assert {office.blobs.put(content) for content in released} <= digests, "released ⇒ logged"
    assert all(use.sealed_sha256 in office.blobs.kept for use in uses if use.document_kept_until), "held ⇒ present"
    assert sum(use.counts for use in state.uses.values()) == len(uses) + sum(
        use.state is UseState.RESERVED for use in state.uses.values()
    ), "failed and abandoned uses give their count back"


def test_article_22_an_applied_seal_is_logged_before_and_after(office: Office) -> None:
    """签章时应当记录签章日志."""
    applied = office.use()
    assert applied.content is not None
    assert applied.content.startswith(b"document")
    assert applied.use.intent.leaf_hash.hex().encode() in applied.content, "the seal carries its log entry"
    assert office.kinds()[-2:] == ["seal.intent", "seal.completed"]
    assert_invariants(office, [applied.content])


def test_a_repeated_request_gets_the_same_document_and_seals_nothing(office: Office) -> None:
    first = office.use()
    before = office.kinds()
    second = office.use()
    assert second.replayed
    assert (second.content, second.use) == (first.content, first.use)
    assert office.kinds() == before


def test_the_same_key_for_another_document_is_refused(office: Office) -> None:
    office.use()
    with pytest.raises(IdempotencyKeyReused):
        office.use(content=b"another document")


def test_the_same_key_while_the_first_is_at_work_is_told_to_wait(office: Office) -> None:
    seen: list[type[Exception]] = []

    def again(step: str) -> None:
        if step == "sign":
            office.sealer.before = lambda _step: None
            with pytest.raises(UseInProgress) as raised:
                office.use()
            seen.append(raised.type)

    office.sealer.before = again
    office.use()
    assert seen == [UseInProgress]


def test_a_denied_use_is_logged_with_every_reason_and_reserves_nothing(office: Office) -> None:
    office.report_loss(office.keeper, ReportLoss(seal_code=office.made.code, reason="介质丢失"))
    with pytest.raises(AuthorizationDenied) as denied:
        office.use()
    assert denied.value.details["reasons"] == ["seal_suspended"]
    assert office.kinds()[-1] == "seal.denied"
    assert not office.records.state.uses


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("failure", [TimestampUnavailable(), RuntimeError("a bug")])
def test_a_failure_at_any_step_ends_the_use_logged_and_gives_its_count_back(step: str, failure: Exception) -> None:
    office = Office(uses=1)

    def fail(at: str) -> None:
        if at == step:
            raise failure

    office.sealer.before = fail
    with pytest.raises(type(failure)):
        office.use()
    assert office.kinds()[-2:] == ["seal.intent", "seal.failed"]
    with pytest.raises(SealServiceError) as told:
        office.use()
    assert told.type is (TimestampUnavailable if isinstance(failure, TimestampUnavailable) else SealingFailed)
    assert "new idempotency key" in told.value.message
    office.sealer.before = lambda _step: None
    applied = office.use("key-2")
    assert applied.content is not None
    assert_invariants(office, [applied.content])


def lose(office: Office) -> None:
    office.report_loss(office.keeper, ReportLoss(seal_code=office.made.code, reason="介质丢失"))


def lose_and_find(office: Office) -> None:
    lose(office)
    office.resume_seal(MAKER, ResumeSeal(seal_code=office.made.code, reason="已找回"))


def revoke(office: Office) -> None:
    office.revoke_grant(office.keeper, RevokeGrant(grant_id=office.granted.id, reason="人员调整"))


def expire(office: Office) -> None:
    office.clock.moment = office.made.not_after


def end_the_grant(office: Office) -> None:
    with office.records.write() as transaction:
        grant = transaction.grants.lock(office.granted.id)
        transaction.grants.replace(replace(grant, valid_until=office.clock.now() + timedelta(seconds=1)))
        transaction.commit()
    office.clock.forward(timedelta(seconds=1))


def disable_the_account(office: Office) -> None:
    with office.records.write() as transaction:
        account = transaction.accounts.find(office.system.identity)
        assert account is not None
        transaction.accounts.replace(replace(account, disabled_at=office.clock.now()))
        transaction.commit()


def abandon(office: Office) -> None:
    office.clock.forward(RESERVATION + timedelta(seconds=1))
    assert office.reconcile_now().abandoned == 1


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("overtake", [lose, lose_and_find, revoke, expire, abandon, end_the_grant, disable_the_account])
def test_article_24_nothing_is_released_when_overtaken_between_any_two_steps(
    step: str, overtake: Callable[[Office], None]
) -> None:
    """应当立即挂失: also when the loss was lifted again before the use ended (epochs)."""
    office = Office(uses=1)

    def happen(at: str) -> None:
        if at == step:
            office.sealer.before = lambda _step: None
            overtake(office)

    office.sealer.before = happen
    with pytest.raises(UseOvertaken):
        office.use()
    assert "seal.completed" not in office.kinds()
    assert not [kept for kept in office.blobs.kept.values() if kept.startswith(b"document")]
    assert_invariants(office, [])


def test_a_use_whose_process_died_is_closed_as_abandoned_and_gives_its_count_back() -> None:
    office = Office(uses=1)

    def die(_step: str) -> None:
        raise KeyboardInterrupt  # not an Exception: like a kill, nothing more runs

    office.sealer.before = die
    with pytest.raises(KeyboardInterrupt):
        office.use()
    office.sealer.before = lambda _step: None
    with pytest.raises(AuthorizationDenied) as denied:
        office.use("key-2")
    assert denied.value.details["reasons"] == ["grant_used_up"]
    assert office.reconcile_now().abandoned == 0, "not before its time"
    office.clock.forward(RESERVATION + timedelta(seconds=1))
    assert office.reconcile_now().abandoned == 1
    assert office.reconcile_now().abandoned == 0, "once"
    applied = office.use("key-3")
    assert applied.content is not None
    assert_invariants(office, [applied.content])


def test_a_quota_of_n_gives_exactly_n() -> None:
    """用印次数: counted under the lock under which the use is reserved."""
    office = Office(uses=3)
    for number in range(3):
        office.use(f"key-{number}", b"document %d" % number)
    with pytest.raises(AuthorizationDenied):
        office.use("key-3")


def test_an_abandoned_use_is_its_systems_also_in_the_log(office: Office) -> None:
    office.sealer.before = lambda _step: (_ for _ in ()).throw(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        office.use()
    office.clock.forward(RESERVATION + timedelta(seconds=1))
    office.reconcile_now()
    last = list(office.records.state.entries.values())[-1]
    assert (last.kind, last.account_id) == (EventKind.SEAL_ABANDONED, office.system.account_id)


def test_every_entry_of_a_use_names_operator_and_document(office: Office) -> None:
    """附录A: of failed and refused uses too."""
    who = Operator(id="op-1", name="样某")
    office.person(office.keeper, who.id, who.name)
    command = replace(office.request("key-1"), operator=who)
    office.apply_seal(office.system, command)
    office.sealer.before = lambda _step: (_ for _ in ()).throw(TimestampUnavailable())
    with pytest.raises(TimestampUnavailable):
        office.apply_seal(office.system, replace(command, idempotency_key="key-2"))
    lose(office)
    with pytest.raises(AuthorizationDenied):
        office.apply_seal(office.system, replace(command, idempotency_key="key-3"))
    rows = [row for row in office.records.state.entries.values() if row.kind.value.startswith("seal.")]
    assert [row.kind.value for row in rows] == [
        "seal.intent",
        "seal.completed",
        "seal.intent",
        "seal.failed",
        "seal.denied",
    ]
    assert {row.operator_ref for row in rows} == {office.log.operator_reference("op-1")}
    assert {row.document_sha256 for row in rows} == {command.document.sha256_hex}
    assert [row.result for row in rows] == ["undecided", "success", "undecided", "failure", "refused"]
    assert all(json.loads(row.canon)["document_sm3"] == command.document.sm3_hex for row in rows)


def test_a_held_document_is_given_out_until_its_time_has_passed(office: Office) -> None:
    applied = office.use()
    office.clock.forward(timedelta(hours=72))
    assert office.use().content is None, "also before anybody reconciles"
    assert applied.use.sealed_sha256 in office.blobs.kept


def test_a_held_document_goes_when_its_time_has_passed(office: Office) -> None:
    applied = office.use()
    office.clock.forward(timedelta(hours=72, seconds=1))
    assert office.reconcile_now().documents_removed == 1
    assert applied.use.sealed_sha256 not in office.blobs.kept
    again = office.use()
    assert (again.content, again.replayed) == (None, True)


@pytest.mark.parametrize("commit", ["reserve", "complete"])
def test_a_commit_of_unknown_outcome_that_was_written_is_found_by_reading_again(office: Office, commit: str) -> None:
    office.records.untold = [True] if commit == "reserve" else [None, True]
    applied = office.use()
    assert applied.content is not None
    assert applied.use.state is UseState.COMPLETED
    assert_invariants(office, [applied.content])


def test_a_reservation_of_unknown_outcome_that_was_not_written_seals_nothing(office: Office) -> None:
    office.records.untold = [False]
    with pytest.raises(Unavailable, match="repeat the request with the same key"):
        office.use()
    assert not office.records.state.uses
    assert office.use().content is not None, "the same key may be used: it stood for nothing"


def test_a_completion_of_unknown_outcome_that_was_not_written_ends_as_failed(office: Office) -> None:
    office.records.untold = [None, False]
    with pytest.raises(Unavailable):
        office.use()
    assert [use.state for use in office.records.state.uses.values()] == [UseState.FAILED]
    assert not office.blobs.kept.keys() - {office.made.impression.digest}
    assert_invariants(office, [])


@pytest.mark.parametrize("commit", ["reserve", "complete"])
def test_nothing_is_released_or_undone_while_a_commit_cannot_be_relied_on(office: Office, commit: str) -> None:
    """A cancelled wait for the second machine: what is read may be lost with this one (WARNING 01000)."""
    office.records.untold = [True] if commit == "reserve" else [None, True]
    office.records.unconfirmed = 2
    with pytest.raises(OutcomeUnknown):
        office.use()
    (use,) = office.records.state.uses.values()
    if commit == "reserve":
        assert use.state is UseState.RESERVED
        return
    assert use.state is UseState.COMPLETED
    with pytest.raises(OutcomeUnknown):
        office.use()
    again = office.use()
    assert again.replayed
    assert again.content is not None, "once it is certain, the same key gets the document"
    assert_invariants(office, [again.content])


def test_documents_kept_for_good_survive_acknowledgement_and_time(office: Office) -> None:
    office.apply_seal = replace(office.apply_seal, keeping=DocumentKeeping.KEPT)
    applied = office.use()
    assert applied.use.document_kept_until == FOR_GOOD
    acknowledge = AcknowledgeDocumentUseCase(office.records, office.log, office.blobs)
    acknowledge(office.system, ReadUse(seal_code=office.made.code, use_id=applied.use.id))
    office.clock.forward(timedelta(days=3650))
    office.reconcile(MAKER, Reconcile())
    assert office.use().content == applied.content


def test_documents_that_are_not_kept_are_nowhere_but_in_the_answer(office: Office) -> None:
    office.apply_seal = replace(office.apply_seal, keeping=DocumentKeeping.NONE)
    before = set(office.blobs.kept)
    applied = office.use()
    assert applied.content is not None
    assert set(office.blobs.kept) == before
    again = office.use()
    assert (again.replayed, again.content, again.use) == (True, None, applied.use)


def test_a_failure_that_repeats_a_documents_bytes_is_kept_as_text_that_every_database_takes(office: Office) -> None:
    def fail(step: str) -> None:
        if step == "prepare":
            raise SealingFailed("the field a\0b\ud800 is damaged")

    office.sealer.before = fail
    with pytest.raises(SealingFailed):
        office.use()
    (use,) = office.records.state.uses.values()
    assert use.state is UseState.FAILED
    assert use.failure is not None
    assert "\0" not in use.failure
    assert use.failure.encode().decode() == use.failure
