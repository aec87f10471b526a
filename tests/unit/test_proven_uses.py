"""What proof files of uses show, and to whom."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from seal_service.domain.errors import InvalidInput, NoteRefused
from seal_service.formats import canonical
from seal_service.formats.checkpoint import Checkpoint
from seal_service.formats.cosignature import cosignature, cosigned_message
from seal_service.formats.merkle_leaf import leaf_hash
from seal_service.formats.note import SignatureType, VerifierKey, signature_line
from seal_service.log.merkle import root_of
from seal_service.log.proofs import LogProof, write_proof
from seal_service.log.proven_uses import proven_uses, trusted_logs
from seal_service.testing.transparency import MemoryLogKey

ORIGIN = "log.example.gov.cn/seals"
KEY = MemoryLogKey(ORIGIN)
SEEN = datetime(2026, 3, 1, 8, tzinfo=UTC)


def entry(kind: str = "seal.completed", log: str = ORIGIN, **more: canonical.Value) -> bytes:
    value = base64.b64encode(b"value").decode()
    return canonical.encode(
        {
            "kind": kind,
            "id": "completed",
            "log": log,
            "seal_code": "44000000000001",
            "intent_leaf_hash": "11" * 32,
            "a": {"certSn": "0f01", "signValue": value},
            "facts": {"document_size": 1000},
            **more,
        }
    )


def proof(extra: bytes | None, key: MemoryLogKey = KEY, cosigned: tuple[Ed25519PrivateKey, ...] = ()) -> bytes:
    """Of the first of two entries."""
    leaves = [leaf_hash(extra or entry()), leaf_hash(b"other")]
    text = Checkpoint(origin=key.name, size=2, root=root_of(leaves)).text
    note = key.sign(text) + b"".join(_cosigned(text, one) for one in cosigned)
    return write_proof(LogProof(index=0, path=(leaves[1],), checkpoint=note, extra=extra))


def witness(private: Ed25519PrivateKey) -> VerifierKey:
    public = private.public_key().public_bytes_raw()
    return VerifierKey(name="witness.example", type=SignatureType.COSIGNATURE, public_key=public)


def _cosigned(text: str, private: Ed25519PrivateKey) -> bytes:
    return signature_line(cosignature(witness(private), SEEN, private.sign(cosigned_message(text, SEEN)))).encode()


def test_a_proof_with_its_entry_shows_the_end_of_a_use() -> None:
    found = proven_uses([proof(entry())], trusted_logs([KEY.verifier_key]))
    assert found.refused == ()
    (use,) = found.uses
    assert use.end is not None
    assert (use.end.signature_value, use.end.certificate_serial) == (b"value".hex(), "0f01")
    assert (use.tree_size, use.end.document_size, use.end.leaf_hash) == (2, 1000, leaf_hash(entry()).hex())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (proof(None), "holds no entry"),
        (proof(entry(kind="seal.intent")), "seal.intent"),
        (proof(entry(log="another.example")), "another log"),
        (proof(entry(a={"signValue": "?"})), "not base64"),  # type: ignore[arg-type]
        (proof(b"[]"), "not a JSON object"),
        (proof(entry(), MemoryLogKey(ORIGIN)), "None of the known keys"),
        (proof(entry(), MemoryLogKey("other.example")), "None of the known keys"),
        (b"no proof", "tlog-proof"),
        (b"c2sp.org/tlog-proof@v1\n" + b"A" * 70_000, "at most"),
    ],
)
def test_what_shows_nothing_says_why(content: bytes, reason: str) -> None:
    found = proven_uses([content], trusted_logs([KEY.verifier_key]))
    assert found.uses == ()
    assert found.refused[0].startswith("proof 1: ")
    assert reason in found.refused[0]


def test_any_of_several_logs_may_have_it() -> None:
    keys = [MemoryLogKey("other.example").verifier_key, KEY.verifier_key]
    assert len(proven_uses([proof(entry())], trusted_logs(keys)).uses) == 1


def test_as_many_witnesses_as_are_needed_must_have_cosigned() -> None:
    first, second = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    witnesses = [witness(one).text for one in (first, second)]
    both, one, none = (proof(entry(), cosigned=who) for who in ((first, second), (first,), ()))
    for needed, shown in ((None, [1, 0, 0]), (1, [1, 1, 0]), (0, [1, 1, 1])):
        trusted = trusted_logs([KEY.verifier_key], witnesses, needed)
        assert [len(proven_uses([given], trusted).uses) for given in (both, one, none)] == shown
    twice = trusted_logs([KEY.verifier_key], [witnesses[0]] * 2)
    assert twice.witnesses_needed == 1, "a key given twice is one witness"
    with pytest.raises(InvalidInput, match="2 witness keys are given"):
        trusted_logs([KEY.verifier_key], witnesses, 3)


def test_a_key_of_another_kind_is_refused() -> None:
    cosigning = witness(Ed25519PrivateKey.generate()).text
    with pytest.raises(NoteRefused, match="not one of a log"):
        trusted_logs([cosigning])
    with pytest.raises(NoteRefused, match="not one of a witness"):
        trusted_logs([KEY.verifier_key], [KEY.verifier_key])
    with pytest.raises(NoteRefused, match="name\\+id\\+key"):
        trusted_logs(["no key"])
