"""sigstore (PyPI) judges proofs of inclusion and the checkpoint under them, as it does those of its own log.

Its functions are private: the version is pinned. They read no tiles, so that tlog-scales makes the proofs.
"""

from __future__ import annotations

import base64
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sigstore._internal.merkle import verify_merkle_inclusion
from sigstore._internal.rekor.checkpoint import SignedCheckpoint, verify_checkpoint
from sigstore._internal.trust import Keyring, RekorKeyring
from sigstore.models import TransparencyLogEntry
from sigstore_models.common import v1 as common
from sigstore_models.rekor import v1 as rekor
from tlog_scales.backend import LocalBackend
from tlog_scales.reader import TilesReader

from tests.interop.outside.question import Question, answer


def check(asked: Question) -> str:
    """Every named entry of the log, and every proof that was given out."""
    name, key_id, key = asked.key.split("+", 2)
    keys = keyring(base64.b64decode(key)[1:])
    envelope = Path(asked.log / "checkpoint").read_text()
    now = SignedCheckpoint.from_text(envelope).checkpoint
    reader = TilesReader(LocalBackend(asked.log))
    reader.set_size(now.log_size)
    indexes = [index for index in asked.indexes if index < now.log_size]
    for index in indexes:
        path = reader.get_inclusion_proof(index, now.log_size).node_hashes
        root = bytes.fromhex(now.log_hash)
        judge(keys, key_id, index, now.log_size, path, root, reader.get_entry(index), envelope)
    for one in asked.issued:
        path = [bytes.fromhex(part) for part in one["path"]]
        root, entry = bytes.fromhex(one["root"]), bytes.fromhex(one["entry"])
        judge(keys, key_id, one["index"], one["size"], path, root, entry, one["checkpoint"])
    return f"{len(indexes)} entries of the log of {name}, {len(asked.issued)} proofs"


def keyring(public_key: bytes) -> RekorKeyring:
    """The log's key, as sigstore keeps those that it trusts."""
    spki = Ed25519PublicKey.from_public_bytes(public_key).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    details = common.PublicKeyDetails.PKIX_ED25519
    return RekorKeyring(Keyring([common.PublicKey(raw_bytes=base64.b64encode(spki), key_details=details)]))


def judge(
    keys: RekorKeyring, key_id: str, index: int, size: int, path: list[bytes], root: bytes, entry: bytes, envelope: str
) -> None:
    """One entry, wrapped as an entry of sigstore's own log."""
    proof = rekor.InclusionProof(
        log_index=str(index),
        root_hash=base64.b64encode(root),
        tree_size=str(size),
        hashes=[base64.b64encode(one) for one in path],
        checkpoint=rekor.Checkpoint(envelope=envelope),
    )
    wrapped = TransparencyLogEntry(
        rekor.TransparencyLogEntry(
            log_index=str(index),
            log_id=common.LogId(key_id=base64.b64encode(bytes.fromhex(key_id))),
            kind_version=rekor.KindVersion(kind="seal", version="1"),
            inclusion_proof=proof,
            canonicalized_body=base64.b64encode(entry),
        )
    )
    verify_merkle_inclusion(wrapped)
    verify_checkpoint(keys, wrapped)


answer(check)
