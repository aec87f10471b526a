"""Whom a client trusts, as it sends that: trust anchors, proofs of the signing log and its keys."""

from __future__ import annotations

from seal_service.domain.errors import InvalidInput
from seal_service.formats.pem import certificates_of
from seal_service.formats.proof_files import proofs_in

MOST_ANCHORS = 50
MOST_PROOFS = 50
MOST_LOG_KEYS = 10


def anchors_of(part: bytes) -> tuple[bytes, ...]:
    """The certificates (DER) of the part `trust`, none for an empty one; InvalidInput naming the field."""
    if not part.strip():
        return ()
    try:
        return tuple(certificates_of(part, MOST_ANCHORS))
    except InvalidInput as error:
        raise InvalidInput(error.message, **{**error.details, "field": "trust"}) from error


def proofs_of(part: bytes) -> tuple[bytes, ...]:
    """The tlog-proofs of the part `proof`, one after another; InvalidInput for too many."""
    found = tuple(proofs_in(part))
    if len(found) > MOST_PROOFS:
        raise InvalidInput(f"At most {MOST_PROOFS} proofs", field="proof")
    return found


def log_keys_of(part: bytes) -> tuple[str, ...]:
    """The verifier keys of the part `log_key`, one a line; InvalidInput for too many. What is none is told later."""
    found = tuple(line.strip() for line in part.decode("utf-8", "replace").splitlines() if line.strip())
    if len(found) > MOST_LOG_KEYS:
        raise InvalidInput(f"At most {MOST_LOG_KEYS} log keys", field="log_key")
    return found
