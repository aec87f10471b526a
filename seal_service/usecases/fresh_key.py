"""新密钥: a key made before the act that it is for, which lives on only if that act has come to name it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from seal_service.domain.algorithms import Suite
from seal_service.ports.crypto import KeyStore
from seal_service.ports.records import Records, Transaction


@contextmanager
def fresh_key(records: Records, keys: KeyStore, reference: str, suite: Suite) -> Iterator[bytes]:
    """The public half (SubjectPublicKeyInfo, DER) of a new key.

    It is made before the transaction, because that can take longer than a lock should last. Afterwards the records
    are asked whether anything names it; only if they certainly say no is it destroyed. A commit whose outcome is
    unknown so never costs a seal its key; a key that nobody names is harmless.
    """
    with _named_or_destroyed(records, keys, reference, lambda: keys.create(reference, suite).public_key_info) as public:
        yield public


@contextmanager
def adopted_key(records: Records, keys: KeyStore, reference: str, private_key: bytes) -> Iterator[bytes]:
    """The public half of a key that was made elsewhere (PKCS#8, DER): as a fresh one, it lives on only if it is named.

    Raises InvalidInput for an unknown kind of key.
    """
    with _named_or_destroyed(
        records, keys, reference, lambda: keys.adopt(reference, private_key).public_key_info
    ) as public:
        yield public


@contextmanager
def _named_or_destroyed(records: Records, keys: KeyStore, reference: str, made: Callable[[], bytes]) -> Iterator[bytes]:
    public_key_info = made()
    try:
        yield public_key_info
    except BaseException:
        _destroy_unless_named(records, keys, reference)
        raise
    _destroy_unless_named(records, keys, reference)


def is_named(transaction: Transaction, reference: str) -> bool:
    """Whether a seal, a certificate request or the service's own authorities name a key."""
    return (
        transaction.seals.names_key(reference)
        or transaction.certificate_requests.names_key(reference)
        or any(one.key_reference == reference for one in transaction.authorities.all())
    )


def _destroy_unless_named(records: Records, keys: KeyStore, reference: str) -> None:
    try:
        with records.read() as transaction:
            named = is_named(transaction, reference)
    except Exception:  # whatever kept us from asking, the key may be in use
        return
    if not named:
        keys.destroy(reference)
