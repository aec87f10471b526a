"""收录证明 of uses: what proof files show of seals, offline, to whoever trusts the log's key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from seal_service.domain.errors import InvalidInput, NoteRefused
from seal_service.domain.events import TERMINAL_KINDS
from seal_service.domain.logged import Inclusion, LoggedUse, ProvenUses
from seal_service.formats.checkpoint import SignedCheckpoint
from seal_service.formats.cosignature import cosigned_at
from seal_service.formats.merkle_leaf import leaf_hash
from seal_service.formats.note import SignatureType, VerifierKey, verifier_key
from seal_service.log.entry_facts import entry_facts
from seal_service.log.proofs import LogProof, read_proof, verified_proof


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedLogs:
    """Whose checkpoints are believed."""

    logs: tuple[VerifierKey, ...]
    given: bool = True
    """Whether the logs' keys are those of whoever asks; a service's own are its own word."""
    witnesses: tuple[VerifierKey, ...] = ()
    witnesses_needed: int = 0
    also: Callable[[bytes], None] = lambda _checkpoint: None
    """NoteRefused for a checkpoint that is not believed all the same."""


def trusted_logs(keys: Sequence[str], witnesses: Sequence[str] = (), needed: int | None = None) -> TrustedLogs:
    """Of verifier keys; `needed` witnesses must have cosigned, all of them without it. NoteRefused, InvalidInput."""
    logs = tuple(_key(one, SignatureType.ED25519, "a log") for one in keys)
    cosigning = tuple(dict.fromkeys(_key(one, SignatureType.COSIGNATURE, "a witness") for one in witnesses))
    wanted = len(cosigning) if needed is None else needed
    if not 0 <= wanted <= len(cosigning):
        raise InvalidInput(f"{wanted} cosignatures are asked for, but {len(cosigning)} witness keys are given")
    return TrustedLogs(logs=logs, witnesses=cosigning, witnesses_needed=wanted)


def proven_uses(proofs: Sequence[bytes], trusted: TrustedLogs) -> ProvenUses:
    """The ends of uses that proof files show, each a tlog-proof@v1 with its entry in it; others with their reason."""
    uses: list[LoggedUse] = []
    refused: list[str] = []
    for number, content in enumerate(proofs, 1):
        try:
            uses.append(_proven(read_proof(content), trusted))
        except InvalidInput as error:
            refused.append(f"proof {number}: {error.message}")
    return ProvenUses(uses=tuple(uses), refused=tuple(refused), given_keys=len(trusted.logs) if trusted.given else 0)


def _proven(proof: LogProof, trusted: TrustedLogs) -> LoggedUse:
    if proof.extra is None:
        raise NoteRefused("The proof holds no entry (extra): fetch it with its entry")
    opened, key = _opened(proof, leaf_hash(proof.extra), trusted)
    end = entry_facts(proof.extra, key.name)
    if end.kind not in TERMINAL_KINDS:
        raise NoteRefused(f"The proof is of {end.kind}: the one of seal.completed shows a seal")
    return LoggedUse(
        intent=None,
        end=end,
        inclusion=Inclusion.PUBLISHED,
        tree_size=opened.checkpoint.size,
        given_key=f"{key.name}+{key.key_id.hex()}" if trusted.given else None,
    )


def _opened(proof: LogProof, leaf: bytes, trusted: TrustedLogs) -> tuple[SignedCheckpoint, VerifierKey]:
    """The checkpoint by whichever of the logs' keys holds, cosigned by as many witnesses as are needed."""
    reason = NoteRefused("No log key is given")
    for key in trusted.logs:
        try:
            opened = verified_proof(proof, leaf, key)
        except NoteRefused as error:
            reason = error
            continue
        _require_cosigned(opened, trusted)
        trusted.also(proof.checkpoint)
        return opened, key
    raise reason


def _require_cosigned(opened: SignedCheckpoint, trusted: TrustedLogs) -> None:
    if trusted.witnesses_needed == 0:
        return
    found = 0
    for witness in trusted.witnesses:
        try:
            cosigned_at(opened.note, witness)
        except NoteRefused:
            continue
        found += 1
    if found < trusted.witnesses_needed:
        raise NoteRefused(f"{found} of the given witnesses cosigned, {trusted.witnesses_needed} are needed")


def _key(text: str, kind: SignatureType, whose: str) -> VerifierKey:
    key = verifier_key(text)
    if key.type is not kind:
        raise NoteRefused(f"The key of {key.name} is not one of {whose}")
    return key
