"""见证: a witness that stands alone in its directory, and the witnesses that a log asks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from seal_service.bootstrap.machine import SystemClock, SystemEntropy
from seal_service.config import Settings
from seal_service.domain.errors import InvalidInput, NoteRefused
from seal_service.domain.operation import Profile
from seal_service.formats.note import SignatureType, VerifierKey, verifier_key
from seal_service.log.merkle import consistency_holds
from seal_service.pki.bounded_http import BoundedHttp
from seal_service.pki.witness_client import HttpWitness
from seal_service.pki.witness_key import create_witness_key, read_witness_key
from seal_service.ports.transparency import Witness
from seal_service.ports.witnessing import SeenCheckpoints
from seal_service.storage.seen_checkpoints import DirectorySeenCheckpoints
from seal_service.usecases.witness_checkpoint import WitnessCheckpointUseCase

DIRECTORY_VARIABLE = "SEAL_WITNESS_DIRECTORY"
LOGS_VARIABLE = "SEAL_WITNESS_LOGS"
"""Verifier keys, with spaces between."""
_KEY = "witness.key"
_LOGS = "logs"
_SEEN = "seen"
_HERE = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingWitness:
    """A witness in its directory."""

    verifier_key: str
    logs: Mapping[str, Sequence[VerifierKey]]
    seen: SeenCheckpoints
    witness: WitnessCheckpointUseCase


def make_witness(directory: Path, name: str) -> str:
    """Make a witness's directory and key; its verifier key. AlreadyRegistered when there is one."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = create_witness_key(directory / _KEY, name, SystemEntropy())
    (directory / _SEEN).mkdir(mode=0o700, exist_ok=True)
    return made.verifier_key


def standing_witness(directory: Path, logs: Iterable[str] = ()) -> StandingWitness:
    """The witness of a directory, with the logs of its file `logs` and these; InstanceNotReady, NoteRefused."""
    cosigner = read_witness_key(directory / _KEY)
    known = _by_origin([*_lines(directory / _LOGS), *logs])
    seen = DirectorySeenCheckpoints(directory / _SEEN)
    witness = WitnessCheckpointUseCase(
        logs=known, seen=seen, cosigner=cosigner, clock=SystemClock(), shown=consistency_holds
    )
    return StandingWitness(verifier_key=cosigner.verifier_key, logs=known, seen=seen, witness=witness)


def witnesses_of(settings: Settings, http: BoundedHttp) -> tuple[Witness, ...]:
    """The witnesses that the settings name; InvalidInput. Nothing is asked yet."""
    protected = settings.profile is Profile.PRODUCTION
    return tuple(_witness(one, http, protected=protected) for one in settings.log_witnesses)


def _witness(text: str, http: BoundedHttp, *, protected: bool) -> HttpWitness:
    """`protected`: whoever is on the way could claim that a witness knows another tree, which stops all sealing."""
    key, _, address = text.strip().partition(" ")
    if not address.startswith(("https://", "http://")):
        raise InvalidInput(
            "SEAL_LOG_WITNESSES takes verifier keys, each with a space and an address", field="log_witnesses"
        )
    if protected and not address.startswith("https://") and urlsplit(address).hostname not in _HERE:
        raise InvalidInput(
            f"SEAL_LOG_WITNESSES: in production a witness elsewhere is asked by https, not at {address}",
            field="log_witnesses",
        )
    try:
        return HttpWitness(verifier_key(key), address, http)
    except NoteRefused as error:
        raise InvalidInput(f"SEAL_LOG_WITNESSES: {error.message}", field="log_witnesses") from error


def _lines(file: Path) -> list[str]:
    if not file.exists():
        return []
    lines = (line.strip() for line in file.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _by_origin(keys: Iterable[str]) -> dict[str, list[VerifierKey]]:
    found: dict[str, list[VerifierKey]] = {}
    for key in map(verifier_key, keys):
        if key.type is not SignatureType.ED25519:
            raise NoteRefused(f"The key of {key.name} is no log's: `seal log key` prints the one that is")
        found.setdefault(key.name, []).append(key)
    return found
