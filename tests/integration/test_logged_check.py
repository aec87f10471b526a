"""The check `logged` on a real instance: what its log tells of a seal, and what proofs of it show to a stranger."""

from __future__ import annotations

import base64
import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from seal_service.bootstrap import build, proven_uses
from seal_service.config import Settings
from seal_service.domain.access import PUBLIC_CALLER
from seal_service.domain.authorization import SealingPermit
from seal_service.domain.errors import NoteRefused, SealServiceError, SelfCheckFailed
from seal_service.domain.events import EventKind
from seal_service.domain.logged import ProvenUses, on_document
from seal_service.domain.use import IntentReference
from seal_service.domain.verdict import Check, Indication, Outcome, SignatureReport, SubIndication, VerificationReport
from seal_service.formats import canonical
from seal_service.formats.merkle_leaf import leaf_hash
from seal_service.formats.upload import upload_of
from seal_service.log.growth import grown
from seal_service.log.tiled_log import TiledLog
from seal_service.log.tiles import CHECKPOINT, Tile, is_log_file
from seal_service.ports.documents import SealedDocument, Upload, VerificationPolicy
from seal_service.ports.reading import LogFilter
from seal_service.ports.records import LogRow
from seal_service.storage.log_files import DirectoryLogFiles
from seal_service.testing.transparency import MemoryLogKey
from seal_service.usecases.initialise_log import InitialiseLog
from seal_service.usecases.publish_checkpoint import PublishCheckpoint
from seal_service.usecases.read_log import QueryLog
from seal_service.usecases.read_log_key import ReadLogKey, ReadLogKeyUseCase
from seal_service.usecases.sequence_log import SequenceLog, SequenceLogUseCase
from seal_service.usecases.verify_document import VerifyDocument
from tests.instance import RealOffice, blank_pdf
from tests.published_tree import publish


@pytest.fixture
def office(tmp_path: Path, on_engine: dict[str, object]) -> Iterator[RealOffice]:
    """An office on a real instance, on each engine."""
    office = RealOffice(tmp_path / "var", changes=on_engine)
    yield office
    office.service.close()


@pytest.fixture(scope="module")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealOffice]:
    """One office for the tests that leave its log as it is."""
    office = RealOffice(tmp_path_factory.mktemp("office") / "var")
    yield office
    office.service.close()


def files_of(office: RealOffice) -> DirectoryLogFiles:
    return DirectoryLogFiles(office.settings.published_log, is_log_file)


def published(office: RealOffice) -> int:
    """Sequence and publish all entries that there are; how many."""
    records = office.applying.records
    size = SequenceLogUseCase(records, grown)(office.operator, SequenceLog()).size
    with records.read() as transaction:
        entries = transaction.tree.entries(0, size)
    reading = office.service.transparency.read_key.use_case
    assert isinstance(reading, ReadLogKeyUseCase)
    tree = TiledLog(files_of(office)).tree()
    publish(files_of(office), reading.signer, entries, tree.size if tree else 0)
    return size


def log_key(office: RealOffice) -> str:
    return office.service.transparency.read_key(PUBLIC_CALLER, ReadLogKey())


def proof_of(office: RealOffice, entry_id: str | None) -> bytes:
    """The tlog-proof of an entry, with the entry in it."""
    with office.applying.records.read() as transaction:
        row = transaction.log.find(entry_id or "")
        index = transaction.tree.index_of(entry_id or "")
    assert row is not None
    assert index is not None
    proof = TiledLog(files_of(office)).inclusion(row.leaf_hash, index, row.canon)
    assert proof is not None
    return proof


def logged(report: SignatureReport) -> Check:
    (found,) = [one for one in report.checks if one.id == "logged"]
    return found


def sealed(office: RealOffice, key: str = "key") -> tuple[bytes, str | None]:
    """A sealed document, and the entry that ended its use."""
    applied = office.use(key, blank_pdf(mark=key))
    assert applied.content is not None
    return applied.content, applied.use.terminal_entry_id


def test_a_seal_is_in_the_log_before_and_after_it_is_published(office: RealOffice) -> None:
    content, _ = sealed(office)
    before = office.verify(content)
    assert before.indication is Indication.TOTAL_PASSED
    assert logged(before.signatures[0]).outcome is Outcome.UNKNOWN, "nothing is published yet"
    size = published(office)
    after = office.verify(content)
    assert after.indication is Indication.TOTAL_PASSED
    assert logged(after.signatures[0]).outcome is Outcome.PASS
    assert f"{size} entries" in logged(after.signatures[0]).en
    later, _ = sealed(office, "later")
    young = office.verify(later)
    assert young.indication is Indication.TOTAL_PASSED
    assert "about to be published" in logged(young.signatures[0]).en
    office.clock.forward(timedelta(seconds=office.settings.log_merge_seconds + 1))
    late = office.verify(later)
    assert (late.indication, late.sub_indication) == (Indication.INDETERMINATE, SubIndication.NOT_LOGGED)
    published(office)
    assert office.verify(later).indication is Indication.TOTAL_PASSED


def test_two_seals_on_one_document_and_a_repaired_one_are_each_in_the_log(office: RealOffice) -> None:
    first, _ = sealed(office)
    second = office.use("second", first).content
    damaged = blank_pdf(pages=2)
    damaged = damaged[: damaged.rindex(b"startxref")]
    repaired = office.service.apply_seal(
        office.system, replace(office.request("repaired", damaged), allow_repair=True)
    ).content
    assert second is not None
    assert repaired is not None
    published(office)
    for content, seals in ((second, 2), (repaired, 1)):
        report = office.verify(content)
        assert report.indication is Indication.TOTAL_PASSED
        assert [logged(one).outcome for one in report.signatures] == [Outcome.PASS] * seals


@dataclass
class _Leaking:
    """A sealer out of which a document comes that the use case never gave out."""

    sealer: Any
    leak: Callable[[Any, Upload, SealingPermit, IntentReference], SealedDocument]
    fails: bool
    leaked: bytes = b""

    def seal(self, document: Upload, permit: SealingPermit, intent: IntentReference) -> SealedDocument:
        self.leaked = self.leak(self.sealer, document, permit, intent).content
        if self.fails:
            raise SelfCheckFailed
        made: SealedDocument = self.sealer.seal(document, permit, intent)
        return made

    def check(self, *arguments: object) -> None:
        self.sealer.check(*arguments)


def outside(sealer: Any, document: Upload, permit: SealingPermit, _intent: IntentReference) -> SealedDocument:
    made: SealedDocument = sealer.seal(document, permit, IntentReference(entry_id="", leaf_hash=os.urandom(32)))
    return made


def inside(sealer: Any, document: Upload, permit: SealingPermit, intent: IntentReference) -> SealedDocument:
    made: SealedDocument = sealer.seal(document, permit, intent)
    return made


def other_document(sealer: Any, _document: Upload, permit: SealingPermit, intent: IntentReference) -> SealedDocument:
    made: SealedDocument = sealer.seal(upload_of(blank_pdf(mark="other")), permit, intent)
    return made


@pytest.mark.parametrize(
    ("leak", "fails", "indication", "sentence"),
    [
        (outside, False, Indication.INDETERMINATE, "the log has no such intent"),
        (inside, True, Indication.TOTAL_FAILED, "by the log the use failed"),
        (inside, False, Indication.TOTAL_FAILED, "another signature value"),
        (other_document, False, Indication.TOTAL_FAILED, "another signature value"),
    ],
)
def test_a_seal_made_with_the_same_key_beside_the_log_is_not_passed(
    on_sqlite: RealOffice, leak: Any, fails: bool, indication: Indication, sentence: str
) -> None:
    applying = on_sqlite.applying
    sealer: Any = _Leaking(applying.sealer, leak, fails)
    try:
        replace(applying, sealer=sealer)(on_sqlite.system, on_sqlite.request(f"{sentence} {leak.__name__}"))
    except SealServiceError:
        assert fails
    published(on_sqlite)
    report = on_sqlite.verify(sealer.leaked)
    assert report.technically_valid, "by its signature alone nobody could tell"
    assert (report.indication, report.sub_indication) == (indication, SubIndication.NOT_LOGGED)
    assert logged(report.signatures[0]).outcome is Outcome.FAIL
    assert sentence in logged(report.signatures[0]).en


@pytest.mark.parametrize("which", ["intent", "end", "changed"])
def test_a_copied_database_without_the_entry_does_not_pass_its_seal(
    on_sqlite: RealOffice, tmp_path: Path, which: str
) -> None:
    applied = on_sqlite.use(f"copy {which}")
    assert applied.content is not None
    published(on_sqlite)
    home = tmp_path / "copy"
    shutil.copytree(on_sqlite.home, home)
    entry = applied.use.terminal_entry_id if which == "end" else applied.use.intent.entry_id
    with sqlite3.connect(next(home.glob("*.db"))) as database:
        database.execute("PRAGMA foreign_keys = OFF")
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        if which == "changed":
            database.execute(
                "UPDATE sign_log SET canon = CAST(replace(canon, 'seal.', 'sael.') AS BLOB) WHERE entry_id = ?", [entry]
            )
        else:
            database.execute("DELETE FROM sign_log WHERE entry_id = ?", [entry])
    service = build(Settings(home=home, keys=home / "keys"), clock=on_sqlite.clock)
    try:
        report = service.verify_document(PUBLIC_CALLER, VerifyDocument(document=upload_of(applied.content)))
    finally:
        service.close()
    assert report.indication is not Indication.TOTAL_PASSED
    assert report.sub_indication is SubIndication.NOT_LOGGED
    assert logged(report.signatures[0]).outcome is Outcome.FAIL
    assert on_sqlite.verify(applied.content).indication is Indication.TOTAL_PASSED


def test_a_published_tree_of_another_key_contradicts_the_seal(on_sqlite: RealOffice) -> None:
    content, _ = sealed(on_sqlite, "contradicted")
    published(on_sqlite)
    forged: Any = MemoryLogKey(on_sqlite.settings.origin)
    files = files_of(on_sqlite)
    tree = TiledLog(files).tree()
    assert tree is not None
    files.publish(CHECKPOINT, forged.sign(f"{forged.name}\n{tree.size}\n{tree.content.decode().splitlines()[2]}\n"))
    report = on_sqlite.verify(content)
    files.publish(CHECKPOINT, tree.content)
    assert (report.indication, report.sub_indication) == (Indication.TOTAL_FAILED, SubIndication.NOT_LOGGED)
    assert "contradicts" in logged(report.signatures[0]).en


def lose_tile(tile: Path, _home: Path) -> None:
    tile.unlink()


def lose_sight_of_tile(tile: Path, _home: Path) -> None:
    """A directory in its place cannot be read, not by root either."""
    tile.unlink()
    tile.mkdir()


def lose_key(_tile: Path, home: Path) -> None:
    (key,) = (home / "keys").rglob("log.*")
    key.unlink()


def damage_tile(tile: Path, _home: Path) -> None:
    tile.write_bytes(bytes(len(tile.read_bytes())))


@pytest.mark.parametrize(
    ("happens", "indication", "outcome", "sentence"),
    [
        (lose_tile, Indication.INDETERMINATE, Outcome.UNKNOWN, "cannot answer now"),
        (lose_sight_of_tile, Indication.INDETERMINATE, Outcome.UNKNOWN, "cannot answer now"),
        (lose_key, Indication.INDETERMINATE, Outcome.UNKNOWN, "cannot answer now"),
        (damage_tile, Indication.TOTAL_FAILED, Outcome.FAIL, "contradicts"),
    ],
)
def test_a_log_that_cannot_answer_does_not_contradict(
    on_sqlite: RealOffice, tmp_path: Path, happens: Any, indication: Indication, outcome: Outcome, sentence: str
) -> None:
    content, _ = sealed(on_sqlite, happens.__name__)
    tile = Tile(0, 0, published(on_sqlite))
    home = tmp_path / "copy"
    shutil.copytree(on_sqlite.home, home)
    copied = Settings(home=home, keys=home / "keys")
    happens(copied.published_log / tile.path, home)
    service = build(copied, clock=on_sqlite.clock)
    try:
        report = service.verify_document(PUBLIC_CALLER, VerifyDocument(document=upload_of(content)))
    finally:
        service.close()
    assert (report.indication, report.sub_indication) == (indication, SubIndication.NOT_LOGGED)
    assert logged(report.signatures[0]).outcome is outcome
    assert sentence in logged(report.signatures[0]).en


def test_a_log_whose_checkpoint_is_lost_is_not_one_that_publishes_nothing_yet(office: RealOffice) -> None:
    office.service.transparency.initialise(office.operator, InitialiseLog())
    content, _ = sealed(office)
    office.service.transparency.sequence(office.operator, SequenceLog())
    office.service.transparency.publish(office.operator, PublishCheckpoint())
    assert logged(office.verify(content).signatures[0]).outcome is Outcome.PASS
    (office.settings.published_log / CHECKPOINT).unlink()
    report = office.verify(content)
    assert (report.indication, report.sub_indication) == (Indication.INDETERMINATE, SubIndication.NOT_LOGGED)
    assert "cannot answer now" in logged(report.signatures[0]).en


def offline(office: RealOffice, content: bytes, proven: ProvenUses) -> VerificationReport:
    policy = VerificationPolicy(offline=True, proven=proven)
    return office.service.verify_document(PUBLIC_CALLER, VerifyDocument(document=upload_of(content), policy=policy))


def test_a_proof_shows_the_seal_and_none_of_its_bits_may_differ(on_sqlite: RealOffice) -> None:
    content, end = sealed(on_sqlite, "proven")
    other_content, other_end = sealed(on_sqlite, "other")
    published(on_sqlite)
    key, proof, other = log_key(on_sqlite), proof_of(on_sqlite, end), proof_of(on_sqlite, other_end)
    passed = offline(on_sqlite, content, proven_uses([other, proof], [key], [], None))
    assert passed.indication is Indication.TOTAL_PASSED
    assert logged(passed.signatures[0]).outcome is Outcome.PASS

    for proofs, keys in (([other], key), ([], key), ([proof], MemoryLogKey(on_sqlite.settings.origin).verifier_key)):
        report = offline(on_sqlite, content, proven_uses(proofs, [keys], [], None))
        assert (report.indication, report.sub_indication) == (Indication.INDETERMINATE, SubIndication.NOT_LOGGED)
        assert logged(report.signatures[0]).outcome is Outcome.UNKNOWN
    assert offline(on_sqlite, other_content, proven_uses([other], [key], [], None)).indication is (
        Indication.TOTAL_PASSED
    )
    for bit in range(len(proof) * 8):
        changed = bytearray(proof)
        changed[bit // 8] ^= 1 << bit % 8
        assert proven_uses([bytes(changed)], [key], [], None).uses == (), f"bit {bit} was changed"


def by_proofs(office: RealOffice, content: bytes, proofs: tuple[bytes, ...], *keys: str) -> SignatureReport:
    """As HTTP has it judged: by the keys that came with the document, or by the service's own."""
    office.clock.forward(timedelta(seconds=1))  # so that this is the newest
    command = VerifyDocument(document=upload_of(content), proofs=proofs, log_keys=keys)
    return office.service.verify_document(PUBLIC_CALLER, command).signatures[0]


def verified_last(office: RealOffice) -> Mapping[str, Any]:
    """The log's entry of the last verification."""
    entry: Mapping[str, Any] = json.loads(newest(office, EventKind.DOCUMENT_VERIFIED).canon)
    return entry


def newest(office: RealOffice, kind: EventKind) -> LogRow:
    """The last entry of a kind."""
    return office.service.query_log(office.auditor, QueryLog(chosen=LogFilter(kind=kind))).page.items[0]


def test_a_proof_counts_by_the_services_own_key_and_by_anothers_only_as_his_word(
    on_sqlite: RealOffice, tmp_path: Path
) -> None:
    on_sqlite.clock.forward(timedelta(seconds=1))
    content, end = sealed(on_sqlite, "whose key")
    published(on_sqlite)
    own, proof = log_key(on_sqlite), proof_of(on_sqlite, end)
    stranger = MemoryLogKey(on_sqlite.settings.origin)
    row = newest(on_sqlite, EventKind.SEAL_COMPLETED)
    forged_files = DirectoryLogFiles(tmp_path, is_log_file)
    publish(forged_files, stranger, [row.canon])
    forged = TiledLog(forged_files).inclusion(row.leaf_hash, 0, row.canon)
    assert forged is not None

    mine = by_proofs(on_sqlite, content, (proof,))
    assert (mine.indication, logged(mine).outcome) == (Indication.TOTAL_PASSED, Outcome.PASS)
    assert "given key" not in logged(mine).en
    assert verified_last(on_sqlite)["result"] == "success"
    strange = by_proofs(on_sqlite, content, (forged,))
    assert (strange.indication, logged(strange).outcome) == (Indication.INDETERMINATE, Outcome.UNKNOWN)
    for key, shown in ((own, proof), (stranger.verifier_key, forged)):
        his = by_proofs(on_sqlite, content, (shown,), key)
        assert his.indication is Indication.TOTAL_PASSED
        assert f"by the given key {'+'.join(key.split('+')[:2])}" in logged(his).en
        entry = verified_last(on_sqlite)
        assert (entry["result"], entry["facts"]["foreign_log_keys"]) == ("undecided", 1)
    with pytest.raises(NoteRefused):
        by_proofs(on_sqlite, content, (proof,), "no key")


def test_no_key_that_was_given_speaks_for_a_seal_that_this_log_denies(on_sqlite: RealOffice, tmp_path: Path) -> None:
    """A seal made with the unit's key beside the log, and a log of the forger's own that has it."""
    on_sqlite.clock.forward(timedelta(seconds=1))
    sealer: Any = _Leaking(on_sqlite.applying.sealer, outside, fails=False)
    replace(on_sqlite.applying, sealer=sealer)(on_sqlite.system, on_sqlite.request("denied"))
    published(on_sqlite)
    seal = on_document(on_sqlite.verify(sealer.leaked).signatures[0])
    assert seal is not None
    leaf = json.loads(newest(on_sqlite, EventKind.SEAL_COMPLETED).canon)
    value = base64.b64encode(bytes.fromhex(seal.signature_value)).decode()
    leaf |= {"intent_leaf_hash": seal.intent_leaf_hash, "a": {**leaf["a"], "signValue": value}}
    canon = canonical.encode(leaf)
    stranger = MemoryLogKey(on_sqlite.settings.origin)
    files = DirectoryLogFiles(tmp_path, is_log_file)
    publish(files, stranger, [canon])
    proof = TiledLog(files).inclusion(leaf_hash(canon), 0, canon)
    assert proof is not None
    told = by_proofs(on_sqlite, sealer.leaked, (proof,), stranger.verifier_key)
    assert (told.indication, told.sub_indication) == (Indication.INDETERMINATE, SubIndication.NOT_LOGGED)
    assert "the log has no such intent" in logged(told).en


def test_a_proof_of_the_intent_alone_does_not_show_the_seal(on_sqlite: RealOffice) -> None:
    applied = on_sqlite.use("intent alone")
    assert applied.content is not None
    published(on_sqlite)
    proven = proven_uses([proof_of(on_sqlite, applied.use.intent.entry_id)], [log_key(on_sqlite)], [], None)
    report = offline(on_sqlite, applied.content, proven)
    assert report.indication is Indication.INDETERMINATE
    assert "seal.intent" in logged(report.signatures[0]).en
