"""验章 by command, with an instance or without: only what it needs is loaded, so that `seal verify` starts quickly."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from seal_service.bootstrap.isolating import VERIFYING, reading_processes
from seal_service.bootstrap.machine import SystemClock, SystemEntropy
from seal_service.config import Settings
from seal_service.domain.access import PUBLIC_CALLER
from seal_service.domain.logged import ProvenUses
from seal_service.domain.verdict import VerificationReport
from seal_service.pki.bounded_http import BoundedHttp
from seal_service.pki.revocation_source import AllowListedRevocation
from seal_service.pki.trust import InstanceTrustStore, certificates_of_file
from seal_service.ports.documents import DocumentVerifier, Upload, VerificationPolicy
from seal_service.ports.records import Records

LARGEST_ANSWER = 8 << 20
"""Bytes of one answer of another system (a revocation list is the largest)."""


def verifier_without_instance(settings: Settings) -> DocumentVerifier:
    """验章 for anyone: no instance, no records; anchors from the settings and from the call's policy."""
    isolation = reading_processes(settings, VERIFYING)
    isolation.start()  # meanwhile this process loads what it needs itself
    from seal_service.verification.verifier import Verifier

    clock, entropy = SystemClock(), SystemEntropy()
    http = BoundedHttp(settings.network_timeout_seconds, LARGEST_ANSWER)
    revocation = AllowListedRevocation(settings.revocation_addresses, http, clock, entropy)
    return Verifier(trust=trust_store(settings, None), revocation=revocation, clock=clock, isolation=isolation)


@contextmanager
def verifier_with_instance(
    settings: Settings,
) -> Iterator[Callable[[Upload, VerificationPolicy], VerificationReport]]:
    """验章 by an instance, which knows its own seals. Raises InstanceNotReady, IntegrityFailed."""
    isolation = reading_processes(settings, VERIFYING)
    isolation.start()  # as above
    try:
        from seal_service.bootstrap.verification import verifying_alone
        from seal_service.usecases.verify_document import VerifyDocument

        with verifying_alone(settings, isolation) as verify:
            yield lambda document, policy: verify(PUBLIC_CALLER, VerifyDocument(document=document, policy=policy))
    finally:
        isolation.close()


def trust_store(settings: Settings, records: Records | None) -> InstanceTrustStore:
    """信任锚 of the settings' files and, where there is an instance, of its own authority."""
    signatures = certificates_of_files(settings.trust_anchors)
    timestamps = certificates_of_files(settings.timestamp_anchors)
    return InstanceTrustStore(records, signatures, timestamps)


def proven_uses(
    proofs: Sequence[bytes], log_keys: Sequence[str], witness_keys: Sequence[str], witnesses_needed: int | None
) -> ProvenUses:
    """收录证明: what proof files show to whoever trusts these keys. NoteRefused, InvalidInput for the keys."""
    from seal_service.log import proven_uses as proving

    return proving.proven_uses(proofs, proving.trusted_logs(log_keys, witness_keys, witnesses_needed))


def certificates_of_files(paths: Sequence[Path]) -> tuple[bytes, ...]:
    """The certificates, DER, of PEM or DER files; InvalidInput naming the file that holds none."""
    return tuple(one for path in paths for one in certificates_of_file(path))
