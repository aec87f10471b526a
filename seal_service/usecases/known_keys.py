"""日志公钥 by an operator's word: what a log checks by when its private key is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seal_service.domain.errors import InstanceNotReady, InvalidInput, NoteRefused
from seal_service.domain.log_keys import LogKeyPeriod
from seal_service.domain.publication import SignedTree
from seal_service.formats.checkpoint import open_checkpoint
from seal_service.formats.note import verifier_key
from seal_service.ports.transparency import CheckpointReader


@dataclass(frozen=True, slots=True)
class KnownKey:
    """The port CheckpointReader, by one key."""

    verifier_key: str

    def open(
        self, content: bytes, *, periods: Sequence[LogKeyPeriod] | None = None, beyond: int | None = None
    ) -> SignedTree:
        """NoteRefused."""
        del periods, beyond
        checkpoint = open_checkpoint(content, verifier_key(self.verifier_key)).checkpoint
        return SignedTree(size=checkpoint.size, root=checkpoint.root)


@dataclass(frozen=True, slots=True)
class AlsoKnown:
    """The log's keys, and of trees that a restored database does not reach one more, which is lost."""

    signer: CheckpointReader
    lost: KnownKey

    @property
    def verifier_key(self) -> str:
        """Of the signer."""
        return self.signer.verifier_key

    def open(
        self, content: bytes, *, periods: Sequence[LogKeyPeriod] | None = None, beyond: int | None = None
    ) -> SignedTree:
        """NoteRefused."""
        try:
            return self.signer.open(content, periods=periods, beyond=beyond)
        except (NoteRefused, InstanceNotReady):
            if beyond is None:
                raise
            tree = self.lost.open(content)
            if tree.size <= beyond:
                raise
            return tree


def known_key(text: str) -> KnownKey:
    """The key that an operator names; InvalidInput for what is none."""
    try:
        return KnownKey(verifier_key(text).text)
    except NoteRefused as error:
        told = f"--key-lost takes the log's key as it was given out: {error.message}"
        raise InvalidInput(told, field="lost_key") from error
