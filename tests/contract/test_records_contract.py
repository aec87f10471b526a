"""What `ports.records` promises of the aggregates, on every engine."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from seal_service.domain.application import ApplicationState
from seal_service.domain.errors import (
    AccountNotFound,
    AlreadyRegistered,
    ApplicationNotFound,
    CertificateNotFound,
    GrantNotFound,
    IdempotencyKeyReused,
    InvalidInput,
    NotFound,
    SealNotFound,
    UnitNotFound,
)
from seal_service.domain.grant import Grant
from seal_service.domain.issuance import AuthorityCredential, AuthorityRole, CertificateStatus, IssuedCertificate
from seal_service.domain.seal import Seal
from seal_service.domain.use import IntentReference, UseState
from seal_service.ports.records import Records, Transaction
from tests.engines import ENGINES
from tests.storage_samples import (
    CODE,
    NOW,
    account,
    add_seal_with_grant,
    application,
    completed,
    credential,
    digest_of,
    failed,
    grant,
    later,
    log_row,
    seal,
    unit,
    use,
)

on_databases = pytest.mark.parametrize("records", ENGINES, indirect=True)
"""What a database holds beyond the ports' words; the fake is not so strict."""


def test_what_is_committed_is_read_back_as_it_was(records: Records) -> None:
    with records.write() as transaction:
        add_seal_with_grant(transaction)
        transaction.uses.add(use())
        transaction.commit()
    with records.read() as transaction:
        assert transaction.units.get("unit-1") == unit()
        assert transaction.accounts.find("system-1") == account()
        assert transaction.applications.lock("application-1") == application()
        assert transaction.seals.find(CODE) == seal()
        assert transaction.grants.lock("grant-1") == grant()
        assert transaction.uses.find("use-1") == use()


def add_twice(transaction: Transaction) -> None:
    transaction.units.add(unit())
    transaction.units.add(replace(unit(), id="unit-2"))


def test_leaving_without_commit_writes_nothing(records: Records) -> None:
    with records.write() as transaction:
        transaction.units.add(unit())
    with pytest.raises(AlreadyRegistered), records.write() as transaction:
        add_twice(transaction)
    with records.read() as transaction, pytest.raises(UnitNotFound):
        transaction.units.get("unit-1")


@on_databases
def test_a_transaction_commits_once_and_ends_with_it(records: Records) -> None:
    with records.write() as transaction:
        transaction.units.add(unit())
        transaction.commit()
        with pytest.raises(Exception, match=r"closed|inactive"):
            transaction.units.add(unit("unit-2"))
        with pytest.raises(Exception, match=r"closed|inactive"):
            transaction.commit()


@on_databases
def test_a_reading_transaction_cannot_write(records: Records) -> None:
    with records.read() as transaction, pytest.raises(Exception, match=r"not authorized|readonly|read-only"):
        transaction.units.add(unit())
    with records.read() as transaction:
        assert transaction.units.by_credit_code("credit-unit-1") is None


def test_a_credit_code_is_registered_once(records: Records) -> None:
    with records.write() as transaction:
        transaction.units.add(unit())
        with pytest.raises(AlreadyRegistered):
            transaction.units.add(replace(unit("unit-2"), credit_code=unit().credit_code))


def test_what_is_not_there_is_not_found(records: Records) -> None:
    with records.write() as transaction:
        with pytest.raises(UnitNotFound):
            transaction.units.get("nothing")
        assert transaction.accounts.find("nothing") is None
        with pytest.raises(ApplicationNotFound):
            transaction.applications.lock("nothing")
        assert transaction.seals.find("nothing") is None
        with pytest.raises(SealNotFound):
            transaction.seals.lock("nothing")
        assert transaction.seals.by_certificate("00") is None
        with pytest.raises(GrantNotFound):
            transaction.grants.lock("nothing")
        assert transaction.uses.find("nothing") is None
        assert transaction.certificates.find("00") is None
        with pytest.raises(CertificateNotFound):
            transaction.certificates.set_status("00", CertificateStatus.REVOKED, NOW, None)
        assert transaction.authorities.newest(AuthorityRole.ROOT) is None
        assert transaction.log.find("nothing") is None


@on_databases
def test_what_refers_to_nothing_is_refused(records: Records) -> None:
    with records.write() as transaction, pytest.raises(NotFound):
        transaction.applications.add(application(unit_id="nothing"))


@on_databases
def test_text_that_is_no_text_and_numbers_beyond_64_bits_are_invalid_input(records: Records) -> None:
    with pytest.raises(InvalidInput), records.read() as transaction:
        transaction.units.get("\ud800")
    with pytest.raises(InvalidInput), records.read() as transaction:
        transaction.uses.reserved_before(NOW, 1 << 70)


def test_accounts_and_applications_and_grants_are_replaced(written: Transaction) -> None:
    disabled = replace(account(), disabled_at=later(days=1), roles=frozenset())
    written.accounts.replace(disabled)
    assert written.accounts.find("system-1") == disabled
    decided = replace(
        application(),
        state=ApplicationState.REJECTED,
        decided_by="maker",
        decided_at=later(hours=1),
        decision_reason="印模不清",
    )
    written.applications.replace(decided)
    assert written.applications.lock("application-1") == decided
    revoked = replace(grant(), epoch=2, revoked_at=later(hours=2))
    written.grants.replace(revoked)
    assert written.grants.lock("grant-1") == revoked


@on_databases
@pytest.mark.parametrize(
    "second",
    [replace(seal(), credentials=(credential("0b"),)), replace(seal("99990000000002"), credentials=seal().credentials)],
    ids=["the same code", "the same certificate"],
)
def test_a_seal_code_and_a_certificate_belong_to_one_seal(written: Transaction, second: Seal) -> None:
    with pytest.raises(AlreadyRegistered):
        written.seals.add(second)


def test_a_renewed_seal_keeps_its_old_credentials_in_order(written: Transaction) -> None:
    renewed = replace(seal(), version=2, epoch=2, credentials=(*seal().credentials, credential("0c", version=2)))
    written.seals.replace(renewed)
    assert written.seals.lock(CODE) == renewed
    assert written.seals.by_certificate("0c") == renewed
    assert written.seals.by_certificate(seal().credentials[0].serial) == renewed


@on_databases
def test_credentials_are_never_removed_or_changed(written: Transaction) -> None:
    other = replace(seal().credentials[0], certificate=b"another")
    written.seals.replace(replace(seal(), credentials=(other,)))
    assert written.seals.find(CODE) == seal()


def test_serial_numbers_of_an_area_count_from_one_and_a_rollback_gives_them_back(records: Records) -> None:
    with records.write() as transaction:
        assert [transaction.seals.next_serial("999900") for _ in range(3)] == [1, 2, 3]
    with records.write() as transaction:
        assert transaction.seals.next_serial("999900") == 1
        assert transaction.seals.next_serial("999901") == 1
        transaction.commit()
    with records.write() as transaction:
        assert transaction.seals.next_serial("999900") == 2


def test_candidates_are_the_grants_of_seal_system_and_scenario_newest_first(written: Transaction) -> None:
    written.accounts.add(account("system-2"))
    newer = grant("grant-2", at=later(days=1))
    written.grants.add(newer)
    written.grants.add(grant("grant-3", grantee_id="system-2"))

    def candidates(document: str = "document", *, scenario: str = "permit", **after: float) -> list[Grant]:
        return list(written.grants.lock_candidates(CODE, "system-1", scenario, digest_of(document), later(**after)))

    assert candidates() == [newer, grant()]
    assert candidates(scenario="licence") == []
    written.grants.replace(replace(newer, revoked_at=later(days=2)))
    assert candidates() == [grant()]
    digests = (digest_of("listed"), digest_of("other"))
    listing = replace(grant("grant-4"), digests=digests, media_types=("application/pdf",), most_pages=3)
    written.grants.add(listing)
    assert candidates() == [grant()]
    assert candidates("listed") == [listing, grant()]
    assert candidates("listed", days=30) == [replace(newer, revoked_at=later(days=2))], "the newest says why not"


def test_a_grant_that_is_used_up_is_no_candidate_until_a_use_gives_its_count_back(written: Transaction) -> None:
    written.grants.replace(replace(grant(), maximum_uses=1))

    def candidates() -> list[Grant]:
        return list(written.grants.lock_candidates(CODE, "system-1", "permit", digest_of("document"), NOW))

    written.grants.add(grant("grant-2", at=later(days=1)))
    assert [one.id for one in candidates()] == ["grant-2", "grant-1"]
    written.uses.add(use())
    assert [one.id for one in candidates()] == ["grant-2"]
    assert written.uses.end(failed(use()))
    assert [one.id for one in candidates()] == ["grant-2", "grant-1"]


def test_a_use_is_found_by_the_leaf_hash_that_its_seal_carries(written: Transaction) -> None:
    named = replace(use("use-1"), intent=IntentReference(entry_id="intent-1", leaf_hash=b"1" * 32))
    written.uses.add(named)
    written.uses.add(replace(use("use-2"), intent=IntentReference(entry_id="intent-2", leaf_hash=b"2" * 32)))
    assert written.uses.by_intent(b"1" * 32) == named
    assert written.uses.by_intent(b"3" * 32) is None


def test_an_idempotency_key_stands_for_one_use_of_an_account(written: Transaction) -> None:
    written.accounts.add(account("system-2"))
    written.uses.add(use("use-1", key="k"))
    written.uses.add(use("use-2", key="k", account_id="system-2"))
    assert written.uses.by_key("system-1", "k") == use("use-1", key="k")
    assert written.uses.by_key("system-1", "other") is None
    with pytest.raises(IdempotencyKeyReused):
        written.uses.add(use("use-3", key="k"))


def test_failed_and_abandoned_uses_give_their_count_back(written: Transaction) -> None:
    for number in range(4):
        written.uses.add(use(f"use-{number}"))
    assert written.uses.end(completed(use("use-0")))
    assert written.uses.end(failed(use("use-1")))
    assert written.uses.end(replace(failed(use("use-2")), state=UseState.ABANDONED))
    assert written.uses.counted("grant-1") == 2
    assert written.uses.counted("grant-2") == 0


def test_a_use_ends_once(written: Transaction) -> None:
    written.uses.add(use())
    assert written.uses.end(completed(use()))
    assert not written.uses.end(failed(use()))
    assert written.uses.find("use-1") == completed(use())


def test_uses_that_were_reserved_too_long_ago_are_found_oldest_first(written: Transaction) -> None:
    for number in (3, 1, 2, 9):
        written.uses.add(use(f"use-{number}", at=later(minutes=number)))
    written.uses.end(failed(use("use-2", at=later(minutes=2))))
    found = written.uses.reserved_before(later(minutes=9), 10)
    assert [one.id for one in found] == ["use-1", "use-3"]
    assert [one.id for one in written.uses.reserved_before(later(minutes=9), 1)] == ["use-1"]


def test_a_document_is_held_until_every_use_of_it_let_it_go(written: Transaction) -> None:
    for number in (1, 2):
        written.uses.add(use(f"use-{number}"))
        written.uses.end(completed(use(f"use-{number}"), kept_until=later(hours=number)))
    assert [one.id for one in written.uses.held_until_before(later(hours=2), 10)] == ["use-1"]
    assert len(written.uses.held_until_before(later(hours=3), 1)) == 1
    written.uses.release_document("use-1")
    assert written.uses.holds(digest_of("sealed"))
    written.uses.release_document("use-2")
    assert not written.uses.holds(digest_of("sealed"))
    assert written.uses.held_until_before(later(hours=3), 10) == []
    found = written.uses.find("use-1")
    assert found is not None
    assert found.document_kept_until is None


def test_certificates_change_status_and_those_not_good_are_listed_by_serial(written: Transaction) -> None:
    def issued(serial: str) -> IssuedCertificate:
        return IssuedCertificate(
            serial=serial, certificate=b"0\x00", not_before=NOW, not_after=later(days=1), status=CertificateStatus.GOOD
        )

    for serial in ("0c", "0a", "0b"):
        written.certificates.add(issued(serial))
    written.certificates.set_status("0c", CertificateStatus.ON_HOLD, NOW, "certificate_hold")
    written.certificates.set_status("0b", CertificateStatus.REVOKED, NOW, "key_compromise")
    held = replace(issued("0c"), status=CertificateStatus.ON_HOLD, status_since=NOW, reason="certificate_hold")
    assert written.certificates.find("0c") == held
    assert [one.serial for one in written.certificates.not_good()] == ["0b", "0c"]
    written.certificates.set_status("0c", CertificateStatus.GOOD, later(hours=1), None)
    assert [one.serial for one in written.certificates.not_good()] == ["0b"]


def test_certificates_whose_time_has_not_ended_are_read_one_after_the_other(written: Transaction) -> None:
    for number in range(1500):  # more than are fetched at once
        ends = later(days=1) if number % 3 else NOW
        written.certificates.add(
            IssuedCertificate(serial=f"{number:04x}", certificate=b"0\x00", not_before=NOW, not_after=ends)
        )
    unexpired = [one.serial for one in written.certificates.unexpired(NOW)]
    assert sorted(unexpired) == [f"{number:04x}" for number in range(1500) if number % 3]
    with closing(written.certificates.unexpired(NOW)) as certificates:
        assert next(certificates).not_after > NOW
    assert written.certificates.find("0001") is not None, "a list that is not read to its end stands in no one's way"


def test_seals_are_found_by_the_keys_of_all_their_versions(written: Transaction) -> None:
    renewed = replace(seal(), version=2, credentials=(*seal().credentials, credential("0a02", version=2)))
    written.seals.replace(renewed)
    keys = [one.key_reference for one in renewed.credentials]
    assert len(set(keys)) == 2
    assert written.seals.of_keys([*keys, "unknown"]) == dict.fromkeys(keys, renewed)
    assert written.seals.of_keys([]) == {}


def test_the_newest_credential_of_a_role_is_the_one_that_signs(written: Transaction) -> None:
    def own(role: AuthorityRole, version: int) -> AuthorityCredential:
        return AuthorityCredential(
            role=role,
            version=version,
            key_reference=f"{role}/{version}",
            certificate=b"0\x00",
            not_before=NOW,
            not_after=later(days=1),
        )

    for role, version in ((AuthorityRole.ROOT, 1), (AuthorityRole.OCSP, 2), (AuthorityRole.OCSP, 1)):
        written.authorities.add(own(role, version))
    assert written.authorities.newest(AuthorityRole.OCSP) == own(AuthorityRole.OCSP, 2)
    assert written.authorities.all() == [
        own(AuthorityRole.OCSP, 1), own(AuthorityRole.OCSP, 2), own(AuthorityRole.ROOT, 1)
    ]  # fmt: skip


def test_an_idempotency_key_of_other_requests_stands_for_one_request(written: Transaction) -> None:
    written.idempotency.add("system-1", "k", "digest", "made", NOW)
    assert written.idempotency.find("system-1", "k") == ("digest", "made")
    assert written.idempotency.find("system-2", "k") is None
    with pytest.raises(IdempotencyKeyReused):
        written.idempotency.add("system-1", "k", "digest", "made", NOW)


ISSUED = IssuedCertificate(serial="0a", certificate=b"0", not_before=NOW, not_after=later(days=1))
OWN = AuthorityCredential(
    role=AuthorityRole.ROOT, version=1, key_reference="k", certificate=b"0", not_before=NOW, not_after=later(days=1)
)
AGAIN: dict[str, Callable[[Transaction], None]] = {
    "account": lambda written: written.accounts.add(account()),
    "application": lambda written: written.applications.add(application()),
    "grant": lambda written: written.grants.add(grant()),
    "certificate": lambda written: written.certificates.add(ISSUED),
    "authority": lambda written: written.authorities.add(OWN),
    "log entry": lambda written: written.log.insert(log_row("e1")),
    "log counter": lambda written: written.log.insert(log_row("e2", seq=1, seal_code=CODE)),
}


@on_databases
@pytest.mark.parametrize("again", AGAIN.values(), ids=AGAIN)
def test_what_is_there_is_not_inserted_again(written: Transaction, again: Callable[[Transaction], None]) -> None:
    written.certificates.add(ISSUED)
    written.authorities.add(OWN)
    written.log.insert(log_row("e1", seq=1, seal_code=CODE))
    with pytest.raises(AlreadyRegistered):
        again(written)


@on_databases
def test_what_is_not_there_is_not_replaced(records: Records) -> None:
    with records.write() as transaction:
        with pytest.raises(AccountNotFound):
            transaction.accounts.replace(account())
        with pytest.raises(ApplicationNotFound):
            transaction.applications.replace(application())
        with pytest.raises(SealNotFound):
            transaction.seals.replace(seal())
        with pytest.raises(GrantNotFound):
            transaction.grants.replace(grant())
        assert not transaction.uses.end(failed(use()))


@on_databases
def test_a_moment_keeps_its_microseconds_and_its_instant_in_any_zone(records: Records) -> None:
    shanghai = NOW.astimezone(ZoneInfo("Asia/Shanghai"))
    with records.write() as transaction:
        transaction.units.add(unit(at=shanghai))
        found = transaction.units.get("unit-1").registered_at
    assert found == NOW
    assert found.utcoffset() == timedelta(0)
