"""签章回执: its lines, what its signature covers, and that nothing else can be read as one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seal_service.domain.errors import NoteRefused
from seal_service.domain.receipt import SealReceipt, receipt_of
from seal_service.domain.use import IntentReference, SealUse, SignatureLevel, UseState
from seal_service.formats.checkpoint import Checkpoint, open_checkpoint, read_checkpoint
from seal_service.formats.cosignature import cosigned_message
from seal_service.formats.receipt import open_receipt, read_receipt, receipt_text
from seal_service.testing.transparency import MemoryLogKey

ORIGIN = "log.example.gov.cn/seals"
COMPLETED = datetime(2026, 3, 1, 8, 0, 0, 123456, tzinfo=UTC)
KEY = MemoryLogKey(ORIGIN)

ids = st.uuids().map(str)
hashes = st.binary(min_size=32, max_size=32)
digests = hashes.map(bytes.hex)
moments = st.integers(0, 10**12).map(lambda one: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(milliseconds=one))
receipts = st.builds(
    SealReceipt,
    origin=st.text(st.characters(codec="utf-8", categories=["L", "N", "P"], exclude_characters="+"), min_size=1),
    use_id=ids,
    entry_id=ids,
    leaf_hash=hashes,
    intent_entry_id=ids,
    intent_leaf_hash=hashes,
    document_sha256=digests,
    sealed_sha256=digests,
    issued_at=moments,
    in_tree_by=st.one_of(st.none(), moments),
)


def use(**fields: object) -> SealUse:
    made = SealUse(
        id="019ca7e2-6f00-7c3e-9d5a-0b1c2d3e4f50", account_id="a", idempotency_key="k", request_digest="d",
        seal_code="99990000000001", seal_epoch=1, grant_id="g", grant_epoch=1, scenario="permit",
        state=UseState.COMPLETED, document_sha256="aa" * 32, document_sm3="bb" * 32,
        intent=IntentReference(entry_id="019ca7e2-6f00-7c3e-9d5a-0b1c2d3e4f51", leaf_hash=b"i" * 32),
        reserved_at=COMPLETED, level_asked=SignatureLevel.B_LT, sealed_sha256="cc" * 32,
        terminal_entry_id="019ca7e2-6f00-7c3e-9d5a-0b1c2d3e4f52", terminal_leaf_hash=b"c" * 32, ended_at=COMPLETED,
    )  # fmt: skip
    return replace(made, **fields)  # type: ignore[arg-type]


def receipt(merge: timedelta | None = timedelta(seconds=10)) -> SealReceipt:
    found = receipt_of(use(), ORIGIN, merge)
    assert found is not None
    return found


def test_a_receipt_names_document_entries_and_the_time_by_which_they_are_in_the_tree() -> None:
    assert receipt_text(receipt()) == (
        "seal service receipt v1\n"
        "origin log.example.gov.cn/seals\n"
        "use 019ca7e2-6f00-7c3e-9d5a-0b1c2d3e4f50\n"
        f"completed 019ca7e2-6f00-7c3e-9d5a-0b1c2d3e4f52 {'63' * 32}\n"
        f"intent 019ca7e2-6f00-7c3e-9d5a-0b1c2d3e4f51 {'69' * 32}\n"
        f"document sha256 {'aa' * 32}\n"
        f"sealed sha256 {'cc' * 32}\n"
        "issued_at 2026-03-01T08:00:00.123Z\n"
        "in_tree_by 2026-03-01T08:00:10.123Z\n"
    )


def test_a_log_that_is_not_published_promises_no_time() -> None:
    assert receipt(None).in_tree_by is None
    assert "in_tree_by" not in receipt_text(receipt(None))


@pytest.mark.parametrize("state", [UseState.RESERVED, UseState.FAILED, UseState.ABANDONED])
def test_only_a_completed_use_has_a_receipt(state: UseState) -> None:
    assert receipt_of(use(state=state), ORIGIN, None) is None


@given(receipts)
def test_every_receipt_is_read_as_it_was_written(one: SealReceipt) -> None:
    assert read_receipt(receipt_text(one)) == one


def test_every_bit_of_a_receipt_is_covered_by_the_logs_key() -> None:
    content = KEY.sign(receipt_text(receipt()))
    opened = open_receipt(content, KEY.verifier)
    assert (opened.receipt, opened.content) == (receipt(), content)
    for at in range(len(content)):
        for bit in range(8):
            changed = bytearray(content)
            changed[at] ^= 1 << bit
            with pytest.raises(NoteRefused):
                open_receipt(bytes(changed), KEY.verifier)


def test_what_is_cut_lengthened_or_signed_by_another_key_is_refused() -> None:
    content = KEY.sign(receipt_text(receipt()))
    for wrong in (b"", content[:-1], content + b"\n", content + content, b"x" * 20_000):
        with pytest.raises(NoteRefused):
            open_receipt(wrong, KEY.verifier)
    with pytest.raises(NoteRefused, match="None of the known keys"):
        open_receipt(content, MemoryLogKey(ORIGIN).verifier)
    elsewhere = receipt_text(replace(receipt(), origin="elsewhere.example/log"))
    with pytest.raises(NoteRefused, match=r"of elsewhere\.example/log, the key of"):
        open_receipt(KEY.sign(elsewhere), KEY.verifier)


def test_no_receipt_is_a_checkpoint_and_no_checkpoint_a_receipt() -> None:
    """One key signs both: neither signature may ever stand for the other."""
    text = receipt_text(receipt())
    with pytest.raises(NoteRefused):
        read_checkpoint(text)
    with pytest.raises(NoteRefused):
        open_checkpoint(KEY.sign(text), KEY.verifier)
    with pytest.raises(NoteRefused, match="no spaces"):
        MemoryLogKey("seal service receipt v1").sign(text)
    checkpoint = Checkpoint(origin=ORIGIN, size=7, root=bytes(32))
    with pytest.raises(NoteRefused):
        open_receipt(KEY.sign(checkpoint.text), KEY.verifier)
    assert not cosigned_message(checkpoint.text, COMPLETED).startswith(b"seal service receipt")


@pytest.mark.parametrize(
    "fields",
    [
        {"use_id": "x"},
        {"origin": "two words"},
        {"origin": "a\nb"},
        {"leaf_hash": b"short"},
        {"document_sha256": "AA" * 32},
        {"issued_at": COMPLETED},
    ],
)
def test_what_could_not_be_read_again_is_not_written(fields: dict[str, object]) -> None:
    with pytest.raises(NoteRefused):
        receipt_text(replace(receipt(), **fields))  # type: ignore[arg-type]


def test_a_time_that_there_is_not_is_refused() -> None:
    with pytest.raises(NoteRefused, match="times that there are"):
        read_receipt(receipt_text(receipt()).replace("2026-03-01T08:00:00", "2026-02-30T08:00:00"))
