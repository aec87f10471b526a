"""Who gets which proof of the log, and what a use answers with."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from seal_service.bootstrap.service import Guarded
from seal_service.domain.access import PUBLIC_CALLER, Caller, Role
from seal_service.domain.errors import (
    EntryNotPublished,
    InstanceNotReady,
    LogEntryNotFound,
    LogFileNotFound,
    LogNotPublished,
    PermissionDenied,
    Unauthenticated,
)
from seal_service.formats.merkle_leaf import leaf_hash
from seal_service.formats.receipt import open_receipt
from seal_service.log.growth import grown
from seal_service.log.merkle import consistency_holds, root_of
from seal_service.log.proofs import read_proof, verified_proof
from seal_service.log.tiled_log import TiledLog
from seal_service.ports.records.tree import StoredCheckpoint
from seal_service.testing.transparency import MemoryLogFiles, MemoryLogKey
from seal_service.usecases.apply_seal import AppliedSeal
from seal_service.usecases.issue_receipt import IssueReceipt, LogBeginning, ReadReceiptUseCase
from seal_service.usecases.log_refusal import LogRefusal
from seal_service.usecases.prove_entry import ProveEntry, ProveEntryUseCase, ProveUse, ProveUseUseCase, UseEntry
from seal_service.usecases.read_published_log import (
    ProveConsistency,
    ProveConsistencyUseCase,
    ReadCheckpoint,
    ReadCheckpointUseCase,
    ReadTile,
    ReadTileUseCase,
)
from seal_service.usecases.read_use import ReadUse
from seal_service.usecases.sequence_log import SequenceLog, SequenceLogUseCase
from tests.city import MAKER, Office
from tests.published_tree import publish

ORIGIN = "log.example.gov.cn/seals"
AUDITOR = Caller(account_id="auditor", name="审计", roles=frozenset({Role.AUDITOR}))


class LoggedOffice(Office):
    """An office whose log is sequenced and published when a test says so."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.key, self.files = MemoryLogKey(ORIGIN), MemoryLogFiles()
        self.published = TiledLog(self.files)
        self.issue = IssueReceipt(ORIGIN, self.key, LogBeginning(self.records), timedelta(seconds=10))
        self.apply_seal = replace(self.apply_seal, receipts=self.issue)
        refused = LogRefusal(self.records, self.log)
        self.prove_entry = Guarded(ProveEntryUseCase(self.records, self.published), refused)
        self.prove_use = Guarded(ProveUseUseCase(self.records, self.published), refused)
        self.consistency = Guarded(ProveConsistencyUseCase(self.published))
        self.tile = Guarded(ReadTileUseCase(self.published))
        self.checkpoint = Guarded(ReadCheckpointUseCase(self.published))
        self.size = 0

    def entries(self) -> Sequence[bytes]:
        with self.records.read() as transaction:
            return transaction.tree.entries(0, transaction.tree.head().size)

    def publish(self) -> None:
        SequenceLogUseCase(self.records, grown)(MAKER, SequenceLog())
        publish(self.files, self.key, self.entries(), self.size)
        self.size = len(self.entries())
        root = root_of(map(leaf_hash, self.entries()))
        signed = StoredCheckpoint(size=self.size, root=root, note=b"signed", at=self.clock.now())
        with self.records.write() as transaction:
            transaction.tree.insert_checkpoint(signed)
            transaction.commit()


@pytest.fixture
def logged() -> LoggedOffice:
    office = LoggedOffice()
    office.publish()
    return office


def completed(applied: AppliedSeal) -> str:
    assert applied.use.terminal_entry_id is not None
    return applied.use.terminal_entry_id


def test_a_use_answers_with_a_receipt_of_the_logs_key(logged: LoggedOffice) -> None:
    applied = logged.use()
    assert applied.receipt is not None
    told = open_receipt(applied.receipt.content, logged.key.verifier).receipt
    assert (told.use_id, told.entry_id) == (applied.use.id, applied.use.terminal_entry_id)
    assert told.leaf_hash == applied.use.terminal_leaf_hash
    assert (told.intent_entry_id, told.intent_leaf_hash) == (applied.use.intent.entry_id, applied.use.intent.leaf_hash)
    assert (told.document_sha256, told.sealed_sha256) == (applied.use.document_sha256, applied.use.sealed_sha256)
    assert told.in_tree_by == told.issued_at + timedelta(seconds=10)


def test_a_repeated_request_gets_the_same_receipt_to_the_byte(logged: LoggedOffice) -> None:
    first = logged.use()
    logged.clock.forward(timedelta(hours=1))
    again = logged.use()
    assert again.replayed
    assert again.receipt == first.receipt
    read = ReadReceiptUseCase(logged.records, logged.issue)
    command = ReadUse(seal_code=logged.made.code, use_id=first.use.id)
    assert read(logged.system, command) == (first.use, first.receipt)


def test_before_the_log_is_published_no_time_is_promised() -> None:
    office = LoggedOffice()
    receipt = office.use().receipt
    assert receipt is not None
    assert receipt.receipt.in_tree_by is None


class LostKey(MemoryLogKey):
    def sign(self, text: str, size: int | None = None, periods: object = None) -> bytes:
        del text, size, periods
        raise InstanceNotReady("There is no log key")


def test_a_log_key_that_does_not_answer_takes_no_seal_off_a_document(logged: LoggedOffice) -> None:
    logged.apply_seal = replace(logged.apply_seal, receipts=replace(logged.issue, signer=LostKey(ORIGIN)))
    applied = logged.use()
    assert applied.content is not None
    assert applied.receipt is None
    assert logged.kinds()[-1] == "seal.completed"


def test_a_use_of_before_the_first_checkpoint_is_promised_no_time_afterwards_either() -> None:
    office = LoggedOffice()
    first = office.use()
    office.clock.forward(timedelta(seconds=1))
    office.publish()
    again = office.use()
    assert again.replayed
    assert again.receipt == first.receipt, "its time would have been over before it was promised"


def test_the_proof_of_a_completed_entry_is_one_that_a_stranger_verifies(logged: LoggedOffice) -> None:
    applied = logged.use()
    logged.publish()
    proof = read_proof(logged.prove_entry(logged.system, ProveEntry(entry_id=completed(applied))))
    assert proof.extra is not None
    verified_proof(proof, leaf_hash(proof.extra), logged.key.verifier)
    entry = json.loads(proof.extra)
    assert (entry["kind"], entry["id"]) == ("seal.completed", applied.use.terminal_entry_id)
    bare = logged.prove_entry(logged.system, ProveEntry(entry_id=completed(applied), with_entry=False))
    assert read_proof(bare).extra is None
    assert len(bare) <= 2048


def test_an_entry_is_proved_to_whoever_it_concerns_alone(logged: LoggedOffice) -> None:
    applied = logged.use()
    logged.publish()
    command = ProveEntry(entry_id=completed(applied))
    other = logged.unit(2)
    stranger = logged.account("stranger", Role.BUSINESS_SYSTEM, other)
    other_keeper = logged.account("other-keeper", Role.UNIT_ADMINISTRATOR, other)
    for caller in (AUDITOR, logged.system, logged.keeper):
        assert logged.prove_entry(caller, command)
    for caller in (stranger, other_keeper):
        with pytest.raises(LogEntryNotFound):
            logged.prove_entry(caller, command)
    with pytest.raises(PermissionDenied):
        logged.prove_entry(MAKER, command)
    with pytest.raises(Unauthenticated):
        logged.prove_entry(PUBLIC_CALLER, command)
    of_no_use = next(iter(logged.records.state.entries))
    assert logged.prove_entry(AUDITOR, ProveEntry(entry_id=of_no_use))
    with pytest.raises(LogEntryNotFound):
        logged.prove_entry(logged.system, ProveEntry(entry_id=of_no_use))
    with pytest.raises(LogEntryNotFound):
        logged.prove_entry(AUDITOR, ProveEntry(entry_id="nothing"))


def test_who_has_the_sealed_document_gets_the_proofs_of_its_use_without_an_account(logged: LoggedOffice) -> None:
    applied = logged.use()
    logged.publish()
    intent = applied.use.intent.leaf_hash
    kinds = []
    for which in (UseEntry.INTENT, UseEntry.TERMINAL):
        proof = read_proof(logged.prove_use(PUBLIC_CALLER, ProveUse(intent_leaf_hash=intent, entry=which)))
        assert proof.extra is not None
        verified_proof(proof, leaf_hash(proof.extra), logged.key.verifier)
        kinds.append(json.loads(proof.extra)["kind"])
    assert kinds == ["seal.intent", "seal.completed"]
    assert applied.use.terminal_leaf_hash is not None
    for unknown in (bytes(32), applied.use.terminal_leaf_hash):
        with pytest.raises(LogEntryNotFound):
            logged.prove_use(PUBLIC_CALLER, ProveUse(intent_leaf_hash=unknown))


def test_an_entry_that_waits_is_no_refusal_that_the_log_would_write_down(logged: LoggedOffice) -> None:
    applied = logged.use()
    before = logged.kinds()
    for _ in range(3):
        with pytest.raises(EntryNotPublished):
            logged.prove_entry(logged.system, ProveEntry(entry_id=completed(applied)))
    assert logged.kinds() == before
    SequenceLogUseCase(logged.records, grown)(MAKER, SequenceLog())
    with pytest.raises(EntryNotPublished):  # it has its place, and no checkpoint reaches it
        logged.prove_entry(logged.system, ProveEntry(entry_id=completed(applied)))


def test_a_log_that_is_not_published_says_so() -> None:
    office = LoggedOffice()
    applied = office.use()
    with pytest.raises(LogNotPublished):
        office.prove_entry(office.system, ProveEntry(entry_id=completed(applied)))
    with pytest.raises(LogNotPublished):
        office.prove_use(PUBLIC_CALLER, ProveUse(intent_leaf_hash=applied.use.intent.leaf_hash))
    with pytest.raises(LogNotPublished):
        office.checkpoint(PUBLIC_CALLER, ReadCheckpoint())
    with pytest.raises(LogNotPublished):
        office.consistency(PUBLIC_CALLER, ProveConsistency(old=1))


def test_anyone_can_see_that_the_log_only_grows(logged: LoggedOffice) -> None:
    earlier = logged.size
    logged.use()
    logged.publish()
    proof = logged.consistency(PUBLIC_CALLER, ProveConsistency(old=earlier))
    leaves = [leaf_hash(one) for one in logged.entries()]
    assert proof.size == logged.size
    assert consistency_holds(earlier, proof.size, proof.path, root_of(leaves[:earlier]), root_of(leaves))
    with pytest.raises(LogNotPublished, match=f"of {logged.size} entries"):
        logged.consistency(PUBLIC_CALLER, ProveConsistency(old=1, size=logged.size + 1))


def test_tiles_are_for_auditors(logged: LoggedOffice) -> None:
    command = ReadTile(path=f"tile/entries/000.p/{logged.size}")
    assert not logged.tile(AUDITOR, command).full
    with pytest.raises(LogFileNotFound):
        logged.tile(AUDITOR, ReadTile(path="tile/../checkpoint"))
    for caller in (logged.system, logged.keeper, MAKER):
        with pytest.raises(PermissionDenied):
            logged.tile(caller, command)
