"""签章日志 entries (article 22): canonical leaf, Appendix-A record, commitments, and the row in the database."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, cast

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from seal_service.domain.errors import IntegrityFailed, InvalidInput
from seal_service.domain.events import Event, EventKind, Result
from seal_service.formats import canonical
from seal_service.formats.merkle_leaf import leaf_hash
from seal_service.log import appendix_a
from seal_service.log.signing_log import DatabaseSigningLog
from seal_service.ports.documents import Content
from seal_service.ports.records import LogRow, SigningLog, Transaction

VECTORS = Path(__file__).parents[1] / "vectors" / "log_entry.json"
AT = datetime(2026, 3, 1, 16, 30, 5, 123_987, tzinfo=UTC)


class CountingEntropy:
    def __init__(self) -> None:
        self.count = 0

    def token(self, length: int) -> bytes:
        self.count += 1
        return hashlib.shake_128(self.count.to_bytes(4, "big")).digest(length)


class FixedClock:
    def __init__(self, at: datetime = AT) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


class AesVault:
    def __init__(self) -> None:
        self._cipher = AESGCM(bytes(32))
        self._nonces = CountingEntropy()

    def encrypt(self, plaintext: bytes, context: bytes) -> bytes:
        nonce = self._nonces.token(12)
        return nonce + self._cipher.encrypt(nonce, plaintext, context)

    def encrypted(self, pieces: Iterable[Content], context: bytes) -> Iterator[bytes]:
        yield self.encrypt(b"".join(pieces), context)

    def decrypt(self, ciphertext: bytes, context: bytes) -> bytes:
        return self._cipher.decrypt(ciphertext[:12], ciphertext[12:], context)

    def pseudonym(self, value: str, purpose: str) -> str:
        return hmac.new(b"key", f"{purpose}/{value}".encode(), hashlib.sha256).hexdigest()[:32]


class Rows:
    def __init__(self) -> None:
        self.rows: list[LogRow] = []
        self.seqs: dict[str, int] = {}

    @property
    def log(self) -> Rows:
        return self

    def next_seq(self, seal_code: str) -> int:
        self.seqs[seal_code] = self.seqs.get(seal_code, 0) + 1
        return self.seqs[seal_code]

    def insert(self, row: LogRow) -> None:
        self.rows.append(row)


@pytest.fixture
def rows() -> Rows:
    return Rows()


@pytest.fixture
def log() -> DatabaseSigningLog:
    return DatabaseSigningLog("seal.example/log", FixedClock(), CountingEntropy(), AesVault())


COMPLETED = Event(
    kind=EventKind.SEAL_COMPLETED,
    account_id="0195a000-0000-7000-8000-000000000001",
    account_name="示例市一体化平台",
    seal_code="99990000000001",
    unit_id="0195a000-0000-7000-8000-000000000002",
    scenario="approval.reply",
    document_sha256="1" * 64,
    use_id="0195a000-0000-7000-8000-000000000003",
    intent_id="0195a000-0000-7000-8000-000000000004",
    intent_leaf_hash="2" * 64,
    operator_id="u-17",
    facts={
        "seal_name": "示例市政务服务管理办公室",
        "seal_type": "01",
        "unit_credit_code": "11999900MB00000017",
        "unit_name": "示例市政务服务管理办公室",
        "area_code": "999900",
        "certificate_serial": "0a1b2c",
        "certificate_sha256": "3" * 64,
        "medium_type": "01",
        "version": 1,
        "approval_number": "示政审〔2026〕7号",
        "document_sm3": "4" * 64,
        "sealed_sha256": "5" * 64,
        "sealed_sm3": "6" * 64,
        "document_format": "PDF",
        "level": "B-LT",
        "lower_level_reason": None,
        "signature_algorithm": "1.2.840.10045.4.3.2",
        "signature_value": "MEUCIQ==",
        "timestamp_sha256": "7" * 64,
        "position": "7,24000,31500,42000,42000",
    },
    private={
        "operator_name": "张三",
        "document_name": "批复.pdf",
        "case_number": "BJ-2026-0001",
        "client_address": "192.0.2.7",
    },
)

EVENTS: dict[str, Event] = {
    "completed": COMPLETED,
    "denied": Event(
        kind=EventKind.SEAL_DENIED,
        result=Result.REFUSED,
        account_id="0195a000-0000-7000-8000-000000000001",
        seal_code="99990000000001",
        reason='the seal is suspended: "挂失"\n',
        facts={"reasons": ("seal_suspended", "no_grant")},
    ),
    "verified": Event(kind=EventKind.DOCUMENT_VERIFIED, document_sha256="1" * 64, facts={"signatures": 2, "ok": True}),
    "initialised": Event(kind=EventKind.CONFIG_INITIALISED),
}


def append(log: DatabaseSigningLog, rows: Rows, event: Event) -> tuple[LogRow, dict[str, Any]]:
    entry = log.append(cast(Transaction, rows), event)
    row = rows.rows[-1]
    assert (entry.entry_id, entry.kind, entry.at, entry.leaf_hash) == (row.entry_id, row.kind, row.at, row.leaf_hash)
    return row, cast(dict[str, Any], canonical.decode(row.canon))


def test_is_the_port(log: DatabaseSigningLog) -> None:
    port: SigningLog = log
    assert port.origin == "seal.example/log"


def test_columns_repeat_the_leaf(log: DatabaseSigningLog, rows: Rows) -> None:
    """The columns are a projection of the stored bytes: an auditor needs the bytes alone."""
    row, leaf = append(log, rows, COMPLETED)
    assert row.leaf_hash == leaf_hash(row.canon)
    assert leaf["v"] == 1
    assert leaf["log"] == "seal.example/log"
    assert leaf["at"] == "2026-03-01T16:30:05.123Z"
    assert row.at == datetime.fromisoformat(leaf["at"])
    assert row.kind.value == leaf["kind"]
    assert row.entry_id == leaf["id"]
    assert leaf["intent_leaf_hash"] == "2" * 64
    for column in (
        "seq", "result", "account_id", "unit_id", "seal_code", "scenario", "document_sha256", "use_id", "intent_id",
    ):  # fmt: skip
        assert getattr(row, column) == leaf[column]


def test_appendix_a_record_has_the_fields_of_the_table(log: DatabaseSigningLog, rows: Rows) -> None:
    row, leaf = append(log, rows, COMPLETED)
    assert leaf["a"] == {
        "logId": row.entry_id.replace("-", ""),
        "logType": "2",
        "sealCode": "99990000000001",
        "sealName": "示例市政务服务管理办公室",
        "sealType": "01",
        "useUnitCode": "11999900MB00000017",
        "useUnitName": "示例市政务服务管理办公室",
        "sealZone": "999900",
        "certSn": "0a1b2c",
        "appId": "0195a000-0000-7000-8000-000000000001",
        "appName": "示例市一体化平台",
        "sceneCode": "approval.reply",
        "approvalId": "示政审〔2026〕7号",
        "docHash": "4" * 64,
        "signedDocHash": "6" * 64,
        "docFormat": "PDF",
        "signTime": "2026-03-02 00:30:05",
        "signAlg": "1.2.840.10045.4.3.2",
        "signValue": "MEUCIQ==",
        "positions": ["7,24000,31500,42000,42000"],
        "mediumType": "01",
        "result": "0",
    }
    assert len(leaf["a"]["logId"]) == 32
    assert leaf["facts"] == {
        "certificate_sha256": "3" * 64,
        "version": 1,
        "sealed_sha256": "5" * 64,
        "level": "B-LT",
        "timestamp_sha256": "7" * 64,
    }


def test_counter_runs_for_each_seal_alone(log: DatabaseSigningLog, rows: Rows) -> None:
    other = replace(COMPLETED, seal_code="99990000000002")
    seqs = [append(log, rows, event)[0].seq for event in (COMPLETED, other, COMPLETED, EVENTS["verified"])]
    assert seqs == [1, 1, 2, None]


def test_personal_values_are_only_commitments(log: DatabaseSigningLog, rows: Rows) -> None:
    row, leaf = append(log, rows, COMPLETED)
    personal = {**COMPLETED.private, "operator_id": "u-17"}
    for value in personal.values():
        assert value.encode() not in row.canon
        assert all(value.encode() not in field.ciphertext for field in row.private)
    assert leaf["private"].keys() == personal.keys()
    assert all(len(bytes.fromhex(commitment)) == 32 for commitment in leaf["private"].values())
    assert log.private_fields(row) == personal


def test_equal_values_have_unequal_commitments(log: DatabaseSigningLog, rows: Rows) -> None:
    """A fresh key per field per entry: nobody can tell that two entries name the same person."""
    event = replace(COMPLETED, private={"operator_name": "张三", "document_name": "张三"}, operator_id=None)
    found = [value for _ in range(2) for value in append(log, rows, event)[1]["private"].values()]
    assert len(set(found)) == 4


def test_operator_is_found_by_pseudonym(log: DatabaseSigningLog, rows: Rows) -> None:
    row, _ = append(log, rows, COMPLETED)
    assert row.operator_ref == log.operator_reference("u-17") == AesVault().pseudonym("u-17", "operator")
    assert row.operator_ref.encode() not in row.canon
    assert append(log, rows, EVENTS["verified"])[0].operator_ref is None


def test_erased_fields_are_left_out(log: DatabaseSigningLog, rows: Rows) -> None:
    row, _ = append(log, rows, COMPLETED)
    kept = tuple(field for field in row.private if field.name == "case_number")
    assert log.private_fields(replace(row, private=kept)) == {"case_number": "BJ-2026-0001"}
    assert log.private_fields(replace(row, private=())) == {}


def test_a_field_that_is_not_what_was_committed_to_is_found(log: DatabaseSigningLog, rows: Rows) -> None:
    row, _ = append(log, rows, COMPLETED)
    vault = AesVault()
    for name in ("operator_name", "added_later"):
        context = f"log entry {row.entry_id} {name}".encode()
        forged = replace(row.private[0], name=name, ciphertext=vault.encrypt(bytes(32) + "李四".encode(), context))
        with pytest.raises(IntegrityFailed, match=name):
            log.private_fields(replace(row, private=(forged,)))


def test_a_field_of_another_entry_does_not_open(log: DatabaseSigningLog, rows: Rows) -> None:
    first, _ = append(log, rows, COMPLETED)
    second, _ = append(log, rows, COMPLETED)
    with pytest.raises(InvalidTag):
        log.private_fields(replace(second, private=first.private))


def test_changed_bytes_are_found(log: DatabaseSigningLog, rows: Rows) -> None:
    row, _ = append(log, rows, COMPLETED)
    other, _ = append(log, rows, COMPLETED)
    changed = row.canon.replace("示例市政务".encode(), "示例市监督".encode())
    with pytest.raises(IntegrityFailed, match="leaf hash"):
        log.private_fields(replace(row, canon=changed))
    with pytest.raises(IntegrityFailed, match="canonical"):
        log.private_fields(replace(row, canon=row.canon + b" ", leaf_hash=leaf_hash(row.canon + b" ")))
    with pytest.raises(IntegrityFailed, match="another"):
        log.private_fields(replace(row, canon=other.canon, leaf_hash=other.leaf_hash))


def test_personal_fields_are_refused_as_facts(log: DatabaseSigningLog, rows: Rows) -> None:
    for name in appendix_a.PERSONAL_FIELDS:
        with pytest.raises(InvalidInput, match="personal"):
            append(log, rows, replace(COMPLETED, facts={name: "张三"}))
    assert rows.rows == []


@pytest.mark.parametrize(
    "facts",
    [
        {"position": "1,2,3"},
        {"position": "1.5,2,3,4,5"},
        {"document_sm3": "A" * 64},
        {"seal_name": "章" * 151},
        {"seal_type": 1},
        {"medium_type": "server"},
        {"level": 1.5},
        {"note": "\ud800"},
    ],
)
def test_facts_in_a_wrong_format_are_refused(log: DatabaseSigningLog, rows: Rows, facts: Any) -> None:
    with pytest.raises(InvalidInput):
        append(log, rows, replace(COMPLETED, facts=facts))
    assert rows.rows == []


def test_half_a_surrogate_pair_in_a_personal_field_is_refused(log: DatabaseSigningLog, rows: Rows) -> None:
    with pytest.raises(InvalidInput, match="document_name"):
        append(log, rows, replace(COMPLETED, private={"document_name": "\udcff.pdf"}))


def test_free_text_is_bounded(log: DatabaseSigningLog, rows: Rows) -> None:
    """A refusal is logged whatever the caller wrote as its reason."""
    _, leaf = append(log, rows, replace(EVENTS["denied"], reason="理" * 5000))
    assert leaf["a"]["reason"] == "理" * 254 + "…"
    assert append(log, rows, replace(EVENTS["denied"], reason="\ud800!"))[1]["a"]["reason"] == "?!"


def test_several_positions_and_unusual_facts_pass(log: DatabaseSigningLog, rows: Rows) -> None:
    facts: dict[str, Any] = {"position": ("1,0,-5,1,1", "2,0,0,1,1"), "pages": (1, 2), "seal_name": None}
    _, leaf = append(log, rows, replace(COMPLETED, facts=facts))
    assert leaf["a"]["positions"] == ["1,0,-5,1,1", "2,0,0,1,1"]
    assert leaf["facts"] == {"pages": [1, 2]}
    assert "sealName" not in leaf["a"]


@pytest.mark.parametrize("milliseconds", [0, 1, 7, 999])
def test_time_is_utc_in_whole_milliseconds_everywhere(rows: Rows, milliseconds: int) -> None:
    local = datetime(2026, 1, 1, 8, tzinfo=timezone(timedelta(hours=8))) + timedelta(
        milliseconds=milliseconds, microseconds=999
    )
    log = DatabaseSigningLog("seal.example/log", FixedClock(local), CountingEntropy(), AesVault())
    row, leaf = append(log, rows, EVENTS["initialised"])
    assert leaf["at"] == f"2026-01-01T00:00:00.{milliseconds:03d}Z"
    assert row.at.isoformat(timespec="milliseconds") == f"2026-01-01T00:00:00.{milliseconds:03d}+00:00"
    assert row.at.microsecond % 1000 == 0
    assert int(row.entry_id.replace("-", "")[:12], 16) == round(row.at.timestamp() * 1000)


def test_every_kind_can_be_logged_and_is_small(log: DatabaseSigningLog, rows: Rows) -> None:
    for kind in EventKind:
        row, leaf = append(log, rows, replace(COMPLETED, kind=kind))
        assert leaf["a"].get("logType") == appendix_a.LOG_TYPES.get(kind)
        assert len(row.canon) < 2600


def test_bytes_never_change_unnoticed(rows: Rows) -> None:
    """Golden vectors: a difference here means that old entries could no longer be made or checked the same way."""
    expected = json.loads(VECTORS.read_text())
    assert expected.keys() == EVENTS.keys()
    for name, event in EVENTS.items():
        log = DatabaseSigningLog("seal.example/log", FixedClock(), CountingEntropy(), AesVault())
        row, _ = append(log, rows, event)
        assert row.canon.decode() == expected[name]["canon"], name
        assert row.leaf_hash.hex() == expected[name]["leaf_hash"], name
