"""密钥轮换 on a real instance: what was sealed before, during and after verifies, for us and for others."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from seal_service.domain.access import PUBLIC_CALLER
from seal_service.domain.algorithms import Suite
from seal_service.domain.errors import (
    Conflict,
    InvalidInput,
    KeyInUse,
    KeyNotFound,
    PermissionDenied,
    SealServiceError,
    UseOvertaken,
)
from seal_service.domain.events import EventKind
from seal_service.domain.key_use import SETTLING, KeyState
from seal_service.domain.lifecycle import RENEWAL_WINDOW
from seal_service.domain.paging import PageRequest
from seal_service.domain.seal import Seal
from seal_service.domain.use import SignatureLevel
from seal_service.domain.verdict import Indication
from seal_service.formats.upload import upload_of
from seal_service.pki.revocation_source import FirstAnsweringRevocation
from seal_service.pki.trust import InstanceTrustStore
from seal_service.ports.crypto import KeyStore, SigningKey
from seal_service.ports.documents import VerificationPolicy
from seal_service.ports.reading import LogFilter
from seal_service.testing import ChangeableClock
from seal_service.testing.isolation import InProcess
from seal_service.usecases.answer_pki import PkiMatter, PkiRequest
from seal_service.usecases.change_status import CancelSeal
from seal_service.usecases.check_readiness import CheckReadiness
from seal_service.usecases.destroy_key import DestroyKey
from seal_service.usecases.grant_use import GrantUse
from seal_service.usecases.list_authorities import ListAuthorities
from seal_service.usecases.list_keys import ListedKey, ListKeys
from seal_service.usecases.read_log import QueryLog
from seal_service.usecases.renew_seal import RenewSeal, RenewSealUseCase
from seal_service.usecases.rotate_authority_key import RotateAuthorityKey, Rotation
from seal_service.verification.verifier import Verifier
from tests.instance import RealOffice, blank_pdf
from tests.integration.test_sealing_on_an_instance import Interrupted
from tests.postgresql import postgresql_settings

LEVELS = (SignatureLevel.B_T, SignatureLevel.B_LT, SignatureLevel.B_LTA)


def rotate(office: RealOffice, role: str, suite: Suite | None = None) -> Rotation:
    command = RotateAuthorityKey(role=role, suite=suite, confirmed=True)
    return office.confirmed(office.service.rotate_authority_key, command)


def destroy(office: RealOffice, reference: str, *, confirmed: bool = True) -> ListedKey:
    return office.confirmed(office.service.destroy_key, DestroyKey(reference=reference, confirmed=confirmed))


def keys(office: RealOffice) -> dict[str, ListedKey]:
    page = office.service.list_keys(office.operator, ListKeys(page=PageRequest(limit=500)))
    return {one.reference: one for one in page.items}


def signing_key(office: RealOffice, role: str) -> str:
    return max((one.version or 0, one.reference) for one in keys(office).values() if one.role == role)[1]


def grant(office: RealOffice, made: Seal) -> None:
    """Let the business system apply another seal, which is the office's as soon as it may."""
    office.service.grant_use(
        office.keeper,
        GrantUse(
            seal_code=made.code,
            grantee_id=office.system.identity,
            scenario="permit",
            responsible_person="样某",
            approval_number="示例〔2026〕1号",
        ),
    )
    office.made = made


def sealed(office: RealOffice, key: str, level: SignatureLevel = SignatureLevel.B_LT) -> bytes:
    content = office.use(key, blank_pdf(mark=key), level).content
    assert content is not None
    return content


def generations(office: RealOffice, role: str) -> list[bytes]:
    published = office.service.list_authorities(PUBLIC_CALLER, ListAuthorities())
    return [one.credential.certificate for one in published if one.credential.role == role]


def verified_with(office: RealOffice, anchors: list[bytes], content: bytes) -> Indication:
    """By someone who has these roots and nothing else: no instance, no network."""
    trust = InstanceTrustStore(None, anchors, anchors)
    verifier = Verifier(trust=trust, revocation=FirstAnsweringRevocation([]), isolation=InProcess(), clock=office.clock)
    return verifier.verify(upload_of(content), VerificationPolicy(offline=True)).indication


def test_what_was_sealed_before_and_after_each_rotation_verifies_for_us_and_for_who_has_the_first_root_alone(
    real_office: RealOffice,
) -> None:
    documents = {f"first {level}": sealed(real_office, f"first {level}", level) for level in LEVELS}
    for step, role in enumerate(("timestamp", "ocsp", "issuing", "root", "issuing", "timestamp", "ocsp")):
        real_office.clock.forward(timedelta(seconds=1))
        rotate(real_office, role, Suite.RSA_2048 if step == 1 else None)
        if role == "issuing":
            grant(real_office, real_office.seal(real_office.holder, real_office.keeper))
        for level in LEVELS:
            documents[f"{step} {role} {level}"] = sealed(real_office, f"{step} {level}", level)
    assert {real_office.verify(one).indication for one in documents.values()} == {Indication.TOTAL_PASSED}
    roots = generations(real_office, "root")
    assert len(roots) == 2
    with_data = {name: one for name, one in documents.items() if not name.endswith("B-T")}
    first_alone = {name: verified_with(real_office, roots[:1], one) for name, one in with_data.items()}
    assert first_alone == dict.fromkeys(with_data, Indication.TOTAL_PASSED)
    under_second = {name: one for name, one in with_data.items() if name[0] in "67"}
    assert under_second
    second_alone = {name: verified_with(real_office, roots[1:], one) for name, one in under_second.items()}
    assert second_alone == dict.fromkeys(under_second, Indication.TOTAL_PASSED)


def test_without_confirmation_nothing_is_changed(real_office: RealOffice) -> None:
    before, logged = keys(real_office), events(real_office)
    planned = real_office.confirmed(real_office.service.rotate_authority_key, RotateAuthorityKey(role="issuing"))
    assert [(one.role, one.version) for one in planned.planned] == [("issuing", 2), ("ocsp", 2)]
    assert planned.made == ()
    assert (keys(real_office), events(real_office)) == (before, logged)


def test_a_rotation_is_logged_with_what_was_made(real_office: RealOffice) -> None:
    made = rotate(real_office, "issuing", Suite.RSA_2048).made
    chosen = LogFilter(kind=EventKind.KEY_ROTATED)
    rows = real_office.service.query_log(real_office.auditor, QueryLog(chosen=chosen)).page.items
    facts = [json.loads(row.canon)["facts"] for row in rows]
    assert {(one["role"], one["generation"], one["key_reference"], one["suite"]) for one in facts} == {
        (one.role.value, one.version, one.key_reference, Suite.RSA_2048.value) for one in made
    }
    assert {row.account_id for row in rows} == {real_office.operator.account_id}


def events(office: RealOffice) -> int:
    return office.service.query_log(office.auditor, QueryLog(page=PageRequest(limit=1))).upto_size


@pytest.mark.parametrize("role", ["auditor", "maker", "keeper", "system"])
def test_keys_are_the_operators_alone(real_office: RealOffice, role: str) -> None:
    caller = getattr(real_office, role)
    service = real_office.service
    acts: list[Callable[[], object]] = [
        lambda: service.list_keys(caller, ListKeys()),
        lambda: service.rotate_authority_key(caller, RotateAuthorityKey(role="ocsp", confirmed=True)),
        lambda: service.destroy_key(caller, DestroyKey(reference="x", confirmed=True)),
    ]
    for act in acts:
        with pytest.raises(PermissionDenied):
            act()


def test_a_seals_own_key_changes_only_by_renewal_or_a_decided_application(real_office: RealOffice) -> None:
    reference = real_office.made.credentials[0].key_reference
    with pytest.raises(Conflict) as refused:
        rotate(real_office, reference)
    assert "A seal's own key changes only by renewal or a decided application" in refused.value.message
    for nonsense in ("cross", "seal", "", "ISSUING", signing_key(real_office, "issuing")):
        with pytest.raises(InvalidInput):
            rotate(real_office, nonsense)


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_of_two_rotations_at_once_each_makes_a_generation_or_is_refused(tmp_path: Path, engine: str) -> None:
    changes = postgresql_settings("rotations") if engine == "postgresql" else {}
    real_office = RealOffice(tmp_path / "var", changes=changes)

    def attempt(_turn: int) -> bool:
        try:
            rotate(real_office, "issuing")
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        made = sum(pool.map(attempt, range(4)))
    assert made >= 1
    held = keys(real_office)
    assert sum(one.role == "issuing" for one in held.values()) == made + 1
    assert [one for one in held.values() if one.state is KeyState.UNNAMED] == [], "what came too late left no key"
    assert real_office.verify(sealed(real_office, "after")).indication is Indication.TOTAL_PASSED
    first = signing_key(real_office, "timestamp")
    rotate(real_office, "timestamp")
    real_office.clock.forward(SETTLING)
    destroy(real_office, first)
    assert first not in keys(real_office)
    real_office.service.close()


class RunningClock(ChangeableClock):
    """The machine's, shared by processes."""

    def now(self) -> datetime:
        return datetime.now(UTC)


_SECOND_PROCESS = """
import json, sys
sys.path.insert(0, {root!r})
from pathlib import Path
from seal_service import bootstrap
from seal_service.config import Settings
from seal_service.domain.access import Caller, Role
from seal_service.domain.use import SignatureLevel
from seal_service.formats.upload import upload_of
from seal_service.usecases.apply_seal import ApplySeal
from tests.instance import blank_pdf

given = json.loads(sys.argv[1])
home = Path(given["home"])
service = bootstrap.build(Settings(home=home, keys=home / "keys"))
roles = frozenset({{Role.BUSINESS_SYSTEM}})
caller = Caller(account_id=given["account"], name="业务系统", roles=roles, unit_id=given["unit"])
for number, code in enumerate(sys.stdin):
    name = f"process {{number}}"
    asked = ApplySeal(
        seal_code=code.strip(),
        document=upload_of(blank_pdf(mark=name)),
        scenario="permit",
        idempotency_key=name,
        level=(SignatureLevel.B_LT, SignatureLevel.B_LTA)[number % 2],
    )
    path = home / f"{{name}}.pdf"
    path.write_bytes(service.apply_seal(caller, asked).content)
    print(path, flush=True)
service.close()
"""


@dataclass
class Load:
    """Threads of this process that seal until they are told to stop, and another process that seals in step."""

    office: RealOffice
    stop: threading.Event = field(default_factory=threading.Event)
    documents: list[bytes] = field(default_factory=list)
    more: threading.Condition = field(default_factory=threading.Condition)

    def seal_on(self, name: int) -> int:
        """Seal; how often. What fails ends the test."""
        number = 0
        while not self.stop.is_set():
            content = sealed(self.office, f"thread {name} {number}", LEVELS[1 + number % 2])
            number += 1
            with self.more:
                self.documents.append(content)
                self.more.notify_all()
        return number

    def wait_for(self, further: int) -> None:
        """Until so many more are sealed."""
        with self.more:
            wanted = len(self.documents) + further
            assert self.more.wait_for(lambda: len(self.documents) >= wanted, timeout=120)


@contextmanager
def second_process(office: RealOffice) -> Iterator[Callable[[], bytes]]:
    """What seals with the present seal in a process of its own, that was started before anything is rotated."""
    given = {"home": str(office.home), "account": office.system.account_id, "unit": office.system.unit_id}
    program = _SECOND_PROCESS.format(root=str(Path(__file__).parents[2]))
    process = subprocess.Popen(
        [sys.executable, "-c", program, json.dumps(given)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None

    def seal() -> bytes:
        print(office.made.code, file=process.stdin, flush=True)
        path = process.stdout.readline().strip() if process.stdout else ""
        assert path, "the other process failed"
        return Path(path).read_bytes()

    try:
        yield seal
        process.stdin.close()
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def test_keys_are_rotated_under_load_and_nothing_is_lost(tmp_path: Path) -> None:
    """Threads and a second process seal at B-LT and B-LTA all the while; every process takes what is new at once."""
    office = RealOffice(tmp_path / "var", clock=RunningClock())
    load = Load(office)
    by_process = []
    with second_process(office) as seal_elsewhere, ThreadPoolExecutor(3) as pool:
        by_process.append(seal_elsewhere())
        running = [pool.submit(load.seal_on, name) for name in range(3)]
        try:
            for role in ("timestamp", "ocsp", "issuing", "root", "issuing", "timestamp", "ocsp"):
                load.wait_for(3)
                rotate(office, role, Suite.RSA_2048 if role == "timestamp" else None)
                if role == "issuing":
                    grant(office, office.seal(office.holder, office.keeper))
                by_process.append(seal_elsewhere())
            load.wait_for(6)
            by_process.append(seal_elsewhere())
        finally:
            load.stop.set()
        counted = sum(one.result(timeout=120) for one in running)
    assert counted == len(load.documents)
    reports = [office.verify(one) for one in [*load.documents, *by_process]]
    assert {one.indication for one in reports} == {Indication.TOTAL_PASSED}
    roots = generations(office, "root")
    assert {verified_with(office, roots[:1], one) for one in by_process} == {Indication.TOTAL_PASSED}
    answer = office.service.query_log(
        office.auditor, QueryLog(chosen=LogFilter(kind=EventKind.SEAL_FAILED), page=PageRequest(limit=1))
    )
    assert answer.page.items == ()
    office.service.close()


def test_a_superseded_key_is_destroyed_after_an_hour_and_what_it_signed_still_verifies(
    real_office: RealOffice,
) -> None:
    before = sealed(real_office, "before", SignatureLevel.B_LTA)
    old = {role: signing_key(real_office, role) for role in ("timestamp", "ocsp")}
    for role, reference in old.items():
        with pytest.raises(KeyInUse) as refused:
            destroy(real_office, reference)
        assert "which signs" in refused.value.message
        rotate(real_office, role)
        with pytest.raises(KeyInUse) as refused:
            destroy(real_office, reference)
        assert "ask again after" in refused.value.message
    real_office.clock.forward(SETTLING)
    for reference in old.values():
        size = events(real_office)
        assert destroy(real_office, reference, confirmed=False).state is KeyState.SUPERSEDED
        assert reference in keys(real_office)
        assert events(real_office) == size
        destroy(real_office, reference)
        assert reference not in keys(real_office)
        with pytest.raises(KeyNotFound):
            destroy(real_office, reference)
    assert real_office.verify(before).indication is Indication.TOTAL_PASSED
    assert real_office.verify(sealed(real_office, "after")).indication is Indication.TOTAL_PASSED


def test_an_authoritys_key_is_kept_while_something_that_it_issued_is_valid(real_office: RealOffice) -> None:
    issuing, root = signing_key(real_office, "issuing"), signing_key(real_office, "root")
    rotate(real_office, "root")
    rotate(real_office, "issuing")
    real_office.clock.forward(SETTLING)
    for reference in (issuing, root):
        assert keys(real_office)[reference].state is KeyState.VERIFIES
        with pytest.raises(KeyInUse) as refused:
            destroy(real_office, reference)
        assert "it signs the list that says so" in refused.value.message
    responder = next(one for one in keys(real_office).values() if one.role == "ocsp" and one.version == 1)
    assert responder.state is KeyState.SIGNS, "the answers about what the first generation issued"
    real_office.clock.moment = real_office.made.not_after
    assert keys(real_office)[issuing].state is KeyState.SUPERSEDED
    destroy(real_office, issuing)
    destroy(real_office, responder.reference)
    assert keys(real_office)[root].state is KeyState.VERIFIES, "the time-stamping unit and the cross certificate"
    with pytest.raises(KeyInUse):
        destroy(real_office, root)


def test_a_key_of_a_seal_is_kept_until_it_is_renewed_or_cancelled(real_office: RealOffice) -> None:
    first = real_office.made.credentials[0].key_reference
    with pytest.raises(KeyInUse) as refused:
        destroy(real_office, first)
    assert real_office.made.code in refused.value.message
    before = sealed(real_office, "before")
    real_office.clock.moment = real_office.made.not_after - RENEWAL_WINDOW + timedelta(days=1)
    renewed = real_office.service.renew_seal(real_office.keeper, RenewSeal(seal_code=real_office.made.code))
    destroy(real_office, first)
    second = renewed.credentials[1].key_reference
    with pytest.raises(KeyInUse):
        destroy(real_office, second)
    after = sealed(real_office, "after")
    cancel(real_office)
    destroy(real_office, second)
    rows = real_office.service.query_log(
        real_office.auditor, QueryLog(chosen=LogFilter(kind=EventKind.KEY_DESTROYED))
    ).page.items
    assert {json.loads(row.canon)["facts"]["key_reference"] for row in rows} == {first, second}
    assert {row.seal_code for row in rows} == {real_office.made.code}
    assert real_office.verify(before).technically_valid
    assert real_office.verify(after).technically_valid


def cancel(office: RealOffice) -> None:
    command = CancelSeal(seal_code=office.made.code, reason="机构合并", document_number="示政发〔2026〕1号")
    office.service.cancel_seal(office.maker, command)


@pytest.mark.parametrize("when", ["before it signs", "after it signed"])
def test_a_use_whose_seals_key_is_destroyed_meanwhile_releases_nothing(real_office: RealOffice, when: str) -> None:
    """The seal must be cancelled first, which raises its epoch: completing is refused whatever was signed."""
    reference = real_office.made.credentials[0].key_reference

    def cancel_and_destroy() -> None:
        cancel(real_office)
        destroy(real_office, reference)

    applying = real_office.applying
    if when == "before it signs":
        sealer = Interrupted(applying.sealer, before=cancel_and_destroy)
        expected: type[SealServiceError] = SealServiceError
    else:
        sealer = Interrupted(applying.sealer, after=lambda _sealed: cancel_and_destroy())
        expected = UseOvertaken
    with pytest.raises(expected):
        replace(applying, sealer=sealer)(real_office.system, real_office.request("overtaken"))
    rows = real_office.service.query_log(
        real_office.auditor, QueryLog(chosen=LogFilter(seal_code=real_office.made.code), page=PageRequest(limit=100))
    ).page.items
    kinds = {row.kind for row in rows}
    assert EventKind.SEAL_FAILED in kinds
    assert EventKind.SEAL_COMPLETED not in kinds


@dataclass
class Watched:
    """The real key store, with someone who tries to destroy each new key as soon as it is there."""

    keys: KeyStore
    office: RealOffice
    refused: list[str] = field(default_factory=list)

    def create(self, reference: str, suite: Suite) -> SigningKey:
        created = self.keys.create(reference, suite)
        assert keys(self.office)[reference].state is KeyState.UNNAMED
        with pytest.raises(KeyInUse):
            destroy(self.office, reference)
        self.refused.append(reference)
        return created

    def __getattr__(self, name: str) -> Any:
        return getattr(self.keys, name)


def test_a_key_that_is_just_being_made_is_not_destroyed_under_the_hands_of_who_makes_it(
    real_office: RealOffice,
) -> None:
    """Between its making and the commit that names it nothing names it."""
    renew = real_office.service.renew_seal.use_case
    assert isinstance(renew, RenewSealUseCase)
    watched = Watched(renew.keys, real_office)
    real_office.clock.moment = real_office.made.not_after - RENEWAL_WINDOW
    renewed = replace(renew, keys=watched)(real_office.keeper, RenewSeal(seal_code=real_office.made.code))
    assert watched.refused == [renewed.credentials[1].key_reference]
    assert real_office.verify(sealed(real_office, "renewed")).indication is Indication.TOTAL_PASSED


def test_readiness_tells_when_an_end_is_near_and_is_lost_only_at_the_end(real_office: RealOffice) -> None:
    def told() -> dict[str, tuple[bool, bool, str]]:
        found = real_office.service.check_readiness(PUBLIC_CALLER, CheckReadiness())
        return {one.name: (one.ready, one.warning, one.detail) for one in found if one.name.startswith("authority")}

    assert all(ready and not warning for ready, warning, _ in told().values())
    rotate(real_office, "issuing")
    until = {one.reference: one.until for one in keys(real_office).values()}
    end = until[signing_key(real_office, "ocsp")]
    assert end is not None
    real_office.clock.moment = end - timedelta(days=89)
    for name in ("authority:ocsp", "authority:ocsp:issuing-1"):
        ready, warning, detail = told()[name]
        assert (ready, warning) == (True, True)
        assert "`seal keys rotate ocsp`" in detail
    real_office.clock.moment = end
    for name in ("authority:ocsp", "authority:ocsp:issuing-1"):
        ready, _, detail = told()[name]
        assert not ready
        assert "`seal keys rotate ocsp`" in detail
    rotate(real_office, "ocsp")
    assert all(told()[name][0] for name in ("authority:ocsp", "authority:ocsp:issuing-1"))


def test_generations_are_published(real_office: RealOffice) -> None:
    for role in ("root", "issuing"):
        rotate(real_office, role)
    published = real_office.service.list_authorities(PUBLIC_CALLER, ListAuthorities())
    assert [(one.certificate_path, one.signs) for one in published] == [
        ("/pki/root.cer", False),
        ("/pki/root-2.cer", True),
        ("/pki/cross-2.cer", False),
        ("/pki/issuing.cer", False),
        ("/pki/issuing-2.cer", True),
        ("/pki/timestamp.cer", True),
    ]
    newest = PkiRequest(matter=PkiMatter.ROOT_CERTIFICATE)
    assert real_office.service.answer_pki(PUBLIC_CALLER, newest) == published[1].credential.certificate
    assert asdict(newest)["version"] is None
