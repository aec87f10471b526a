"""Sealing, side by side with pyHanko as its documentation shows it: same key, impression and file."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key

from benchmarks import outside
from benchmarks.documents import Sample, hundred_pages, large, many_objects, one_page
from benchmarks.figures import paired_ratio
from benchmarks.naive import NaiveSigning
from benchmarks.office import Applying, GrantedSeal, Office
from benchmarks.pairing import Timings, Variant, paired_rounds
from benchmarks.session import Session
from seal_service.domain.algorithms import Suite
from seal_service.domain.placement import Placement
from seal_service.domain.use import SignatureLevel
from seal_service.formats.upload import upload_of
from seal_service.ports.documents import SealedDocument

PART = "sealing"
LARGEST_GROWTH = 25_000
LARGEST_NEXT_GROWTH = 10_000

NAIVE = "pyHanko, key loaded each time"
NAIVE_ONCE = "pyHanko, signer loaded once"
OURS = "ours"
OURS_WHOLE = "ours with SHA-256 and a copy"
LIMIT = "raw signature and SHA-256"

Output = bytes | SealedDocument


@dataclass(frozen=True, slots=True)
class _Case:
    sample: Callable[[], Sample]
    at_least: float
    """Times naive pyHanko with key loading in the loop."""
    at_least_once: float | None = None
    """Times naive pyHanko with the signer loaded once."""


def measure(session: Session) -> None:
    """B-B, visible."""
    office, rsa_seal = session.instances.on(), session.instances.seal(Suite.RSA_2048)
    cases = (
        _Case(one_page, 30, 20),
        _Case(hundred_pages, 12),
        _Case(many_objects, 3),
        _Case(lambda: large(session.amounts.large_bytes), 3),
    )
    naive = NaiveSigning(office, rsa_seal, session.directory / "naive-rsa")
    for case, rounds in zip(cases, session.amounts.rounds, strict=True):
        if rounds:
            _measure_case(session, office, rsa_seal, naive, case, rounds)
    elliptic = session.instances.seal(Suite.ECDSA_P256)
    naive = NaiveSigning(office, elliptic, session.directory / "naive-p256")
    timings = _timed(session, office, elliptic, naive, one_page(), (session.amounts.rounds[0] + 1) // 2)
    _tell(session, "P-256, 1 page, 30 KB", timings)
    session.add(
        PART,
        f"P-256, 1 page, 30 KB: times {NAIVE}",
        paired_ratio(timings[NAIVE].wall, timings[OURS].wall),
        "×",
    )
    _measure_growth(session, office, rsa_seal)
    for program in outside.missing():
        session.skip(f"judging outputs by {program}, which is not installed")


def _measure_case(
    session: Session, office: Office, seal: GrantedSeal, naive: NaiveSigning, case: _Case, rounds: int
) -> None:
    sample = case.sample()
    title = f"RSA-2048, {sample.name}"
    timings = _timed(session, office, seal, naive, sample, rounds)
    _tell(session, title, timings)
    for other, target in ((NAIVE, case.at_least), (NAIVE_ONCE, case.at_least_once)):
        ratio = paired_ratio(timings[other].wall, timings[OURS].wall)
        session.add(PART, f"{title}: times {other}", ratio, "×", at_least=target)
    whole = paired_ratio(timings[NAIVE].wall, timings[OURS_WHOLE].wall)
    session.add(PART, f"{title}: times {NAIVE}, SHA-256 and a copy counted", whole, "×")
    cpu = paired_ratio(timings[NAIVE].cpu, timings[OURS].cpu)
    session.add(PART, f"{title}: times {NAIVE}, by processor time", cpu, "×")
    session.add(PART, f"{title}: receiving it (SHA-256, SM3)", _receiving_ms(sample), "ms")


def _timed(
    session: Session, office: Office, seal: GrantedSeal, naive: NaiveSigning, sample: Sample, rounds: int
) -> dict[str, Timings[Output]]:
    session.say(f"sealing: {seal.seal.credentials[0].suite.value}, {sample.name}, {rounds} rounds")
    content = sample.content
    applying = office.applying(seal)

    def passed(output: Output) -> None:
        office.require_passed(_bytes_of(output))

    variants: list[Variant[Output]] = [
        Variant(NAIVE, lambda: naive.loading_each_time(content), passed),
        Variant(NAIVE_ONCE, lambda: naive.loaded_once(content), passed),
        Variant(OURS, lambda: _sealing(applying, content), passed),
        Variant(OURS_WHOLE, lambda: _sealing_whole(applying, content), passed),
        Variant(LIMIT, lambda: _raw(office.private_key(seal), content), lambda _: None),
    ]
    timings = paired_rounds(variants, rounds, warm_up=min(rounds // 5, 2))
    for name in (NAIVE, NAIVE_ONCE, OURS, OURS_WHOLE):
        last = timings[name].last
        assert last is not None
        outside.require_accepted(_bytes_of(last))
    return timings


def _sealing(applying: Applying, content: bytes) -> Callable[[], Output]:
    """Of a document whose digests were taken while it came in; what is appended is not joined to it."""
    upload = upload_of(content, "sample.pdf")
    permit, intent = applying.permit(upload, SignatureLevel.B_B), applying.intent()
    return lambda: applying.sealer.seal(upload, permit, intent)


def _sealing_whole(applying: Applying, content: bytes) -> Callable[[], Output]:
    """As who has nothing but the bytes and wants all bytes back, as pyHanko does both."""
    upload = upload_of(content, "sample.pdf")
    permit, intent = applying.permit(upload, SignatureLevel.B_B), applying.intent()

    def work() -> Output:
        hashlib.sha256(content).digest()
        return bytes(applying.sealer.seal(upload, permit, intent).content)

    return work


def _raw(private_key: bytes, content: bytes) -> Callable[[], Output]:
    key = load_der_private_key(private_key, None)

    def work() -> Output:
        digest = hashlib.sha256(content).digest()
        if isinstance(key, rsa.RSAPrivateKey):
            return key.sign(digest, padding.PKCS1v15(), hashes.SHA256())
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return key.sign(digest, ec.ECDSA(hashes.SHA256()))

    return work


def _bytes_of(output: Output) -> bytes:
    return output if isinstance(output, bytes) else bytes(output.content)


def _tell(session: Session, title: str, timings: dict[str, Timings[Output]]) -> None:
    for name, one in timings.items():
        session.add(PART, f"{title}: {name}", one.wall_ms, "ms")
        session.add(PART, f"{title}: {name}, processor", one.cpu_ms, "ms")


def _receiving_ms(sample: Sample) -> float:
    """What the digests of a document cost while it streams in; they are the network's time, not the sealer's."""
    seconds = []
    for _ in range(3):
        began = time.perf_counter()
        upload_of(sample.content)
        seconds.append(time.perf_counter() - began)
    return median(seconds) * 1000


def _measure_growth(session: Session, office: Office, seal: GrantedSeal) -> None:
    applying = office.applying(seal)
    original = one_page().content
    first = bytes(applying.seal(upload_of(original)).content)
    second = bytes(applying.seal(upload_of(first), placement=Placement(page=1, x_mm=20, y_mm=20)).content)
    office.require_passed(second, signatures=2)
    outside.require_accepted(second, signatures=2)
    grown, again = len(first) - len(original), len(second) - len(first)
    session.add(PART, "growth of the file by the first seal", grown, "bytes", at_most=LARGEST_GROWTH)
    session.add(PART, "growth by the next of the same impression", again, "bytes", at_most=LARGEST_NEXT_GROWTH)
