"""What `ports.records` promises of people's way in, on every engine; and what happens when many come at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from seal_service.domain.access import Role
from seal_service.domain.errors import (
    AccountNotFound,
    AlreadyRegistered,
    SealServiceError,
    SecondFactorNotFound,
    SessionNotFound,
    Unauthenticated,
)
from seal_service.domain.password import Login
from seal_service.domain.second_factor import FactorKind, FactorPolicy, SecondFactor
from seal_service.domain.session import IdentityLink, LoginChallenge, Session, SessionEnd, Way
from seal_service.ports.records import Records
from seal_service.testing import ChangeableClock, CountedEntropy
from seal_service.usecases.pass_second_factor import PassSecondFactor
from seal_service.usecases.sign_in_oidc import SignInByProvider
from seal_service.usecases.signing_in import SignedIn
from tests.people import PASSWORD, VISITOR, People
from tests.storage_samples import NOW, account, later, unit

THREADS = 6


def login(account_id: str = "system-1", name: str | None = None) -> Login:
    return Login(
        account_id=account_id,
        login_name=name,
        password_hash="h9",
        history=("h8", "h7"),
        changed_at=NOW,
        must_change=True,
        failures=3,
        locked_until=later(minutes=4),
        last_login_at=later(minutes=-4),
    )


def factor(factor_id: str, digest: str | None = None, account_id: str = "system-1") -> SecondFactor:
    return SecondFactor(
        id=factor_id,
        account_id=account_id,
        kind=FactorKind.UKEY,
        secret=b"\x00\x01",
        certificate=b"\x30\x00",
        certificate_sha256=digest,
        enrolled_at=NOW,
        last_counter=2**33,
    )


def session(session_id: str, account_id: str = "system-1", evidence: str | None = None) -> Session:
    return Session(
        id=session_id,
        token_sha256=f"digest of {session_id}",
        account_id=account_id,
        way=Way.OIDC,
        factor=FactorKind.TOTP,
        roles=frozenset({Role.SEAL_KEEPER, Role.APPLICANT}),
        address="192.0.2.7",
        opened_at=NOW,
        last_seen_at=NOW,
        evidence=evidence,
    )


def challenge() -> LoginChallenge:
    return LoginChallenge(
        id="challenge-1",
        token_sha256="digest",
        account_id="system-1",
        way=Way.PASSWORD,
        roles=None,
        evidence=None,
        nonce=b"\x00" * 32,
        opened_at=NOW,
    )


def link(subject: str, account_id: str = "system-1") -> IdentityLink:
    return IdentityLink(
        issuer="https://identity.example", subject=subject, account_id=account_id, linked_at=NOW, linked_by="a"
    )


def add_accounts(records: Records) -> None:
    with records.write() as transaction:
        transaction.units.add(unit())
        for name in ("system-1", "system-2"):
            transaction.accounts.add(replace(account(), id=name))
        transaction.commit()


def test_what_is_committed_is_read_back_as_it_was(records: Records) -> None:
    add_accounts(records)
    ended = replace(session("s-2"), ended_at=later(hours=1), end=SessionEnd.IDLE, roles=None, factor=None)
    with records.write() as transaction:
        transaction.logins.add(login(name="zhang"))
        transaction.factors.add(factor("f-1", "d1"))
        transaction.sessions.add(session("s-1", evidence="e1"))
        transaction.sessions.add(session("s-2"))
        transaction.sessions.replace(ended)
        transaction.challenges.add(challenge())
        transaction.identity_links.put(link("zhang"))
        transaction.commit()
    with records.read() as transaction:
        assert transaction.logins.find("system-1") == login(name="zhang")
        assert transaction.logins.by_name("zhang") == transaction.logins.lock("system-1")
        assert transaction.logins.find("nobody") is None
        assert list(transaction.factors.of_account("system-1")) == [factor("f-1", "d1")]
        assert transaction.sessions.by_token("digest of s-1") == session("s-1", evidence="e1")
        assert transaction.sessions.by_token("digest of s-2") == ended
        assert list(transaction.sessions.open_of("system-1")) == [session("s-1", evidence="e1")]
        assert transaction.sessions.opened_by("e1")
        assert not transaction.sessions.opened_by("e2")
        assert transaction.challenges.lock("digest") == challenge()
        assert transaction.challenges.lock("another") is None
        assert transaction.identity_links.find("https://identity.example", "zhang") == link("zhang")
        assert list(transaction.identity_links.of_account("system-1")) == [link("zhang")]


def test_everybodys_sessions_end_at_once_and_what_had_ended_stays_as_it_was(records: Records) -> None:
    add_accounts(records)
    before = replace(session("s-3"), ended_at=later(hours=1), end=SessionEnd.IDLE)
    with records.write() as transaction:
        for one in (session("s-1"), replace(session("s-2"), account_id="system-2"), session("s-3")):
            transaction.sessions.add(one)
        transaction.sessions.replace(before)
        assert transaction.sessions.end_all(later(hours=2), SessionEnd.RESTORED) == 2
        transaction.commit()
    with records.read() as transaction:
        for name in ("s-1", "s-2"):
            ended = transaction.sessions.by_token(f"digest of {name}")
            assert ended is not None
            assert (ended.ended_at, ended.end) == (later(hours=2), SessionEnd.RESTORED)
        assert transaction.sessions.by_token("digest of s-3") == before


@pytest.mark.parametrize(
    "act",
    [
        lambda transaction: transaction.logins.add(login("system-1")),
        lambda transaction: transaction.logins.add(login("system-2", "zhang")),
        lambda transaction: transaction.factors.add(factor("f-2", "d1", "system-2")),
        lambda transaction: transaction.sessions.add(session("s-2", evidence="e1")),
        lambda transaction: transaction.identity_links.put(link("zhang", "system-2")),
    ],
)
def test_what_belongs_to_one_is_not_given_to_another(records: Records, act: Callable[[object], None]) -> None:
    add_accounts(records)
    with records.write() as transaction:
        transaction.logins.add(login(name="zhang"))
        transaction.factors.add(factor("f-1", "d1"))
        transaction.sessions.add(session("s-1", evidence="e1"))
        transaction.identity_links.put(link("zhang"))
        transaction.commit()
    with records.write() as transaction, pytest.raises(AlreadyRegistered):
        act(transaction)


def test_what_was_given_up_may_be_anothers(records: Records) -> None:
    add_accounts(records)
    with records.write() as transaction:
        transaction.factors.add(factor("f-1", "d1"))
        transaction.factors.replace(replace(factor("f-1"), disabled_at=NOW))
        transaction.factors.add(factor("f-2", "d1", "system-2"))
        transaction.identity_links.put(link("zhang"))
        transaction.identity_links.put(replace(link("zhang"), removed_at=NOW))
        assert list(transaction.identity_links.of_account("system-1")) == []
        transaction.identity_links.put(link("zhang", "system-2"))
        transaction.commit()


def test_what_is_not_there_is_not_replaced(records: Records) -> None:
    add_accounts(records)
    with records.write() as transaction, pytest.raises(AccountNotFound):
        transaction.logins.replace(login())
    with records.write() as transaction, pytest.raises(SecondFactorNotFound):
        transaction.factors.replace(factor("f-1"))
    with records.write() as transaction, pytest.raises(SessionNotFound):
        transaction.sessions.replace(session("s-1"))


def test_a_session_that_was_ended_is_neither_ended_again_nor_seen(records: Records) -> None:
    add_accounts(records)
    ended = replace(session("s-1"), ended_at=NOW, end=SessionEnd.SIGNED_OUT)
    with records.write() as transaction:
        transaction.sessions.add(session("s-1"))
        transaction.sessions.seen("s-1", later(minutes=2))
        transaction.sessions.seen("s-1", later(minutes=1))
        found = transaction.sessions.by_token("digest of s-1")
        assert found is not None
        assert found.last_seen_at == later(minutes=2)
        transaction.sessions.replace(ended)
        transaction.sessions.seen("s-1", later(minutes=3))
        assert transaction.sessions.by_token("digest of s-1") == ended
        transaction.commit()
    with records.write() as transaction, pytest.raises(SessionNotFound):
        transaction.sessions.replace(replace(ended, end=SessionEnd.IDLE))


def together(work: Callable[[int], object]) -> list[object]:
    """What `work` gave or raised in each of several threads that start together."""
    barrier = threading.Barrier(THREADS)

    def run(number: int) -> object:
        barrier.wait()
        try:
            return work(number)
        except SealServiceError as error:
            return type(error)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


def people_on(records: Records, policy: FactorPolicy | None) -> People:
    people = People(records=records, policy=policy, entropy=LockedEntropy(), clock=ChangeableClock(NOW))
    people.person()
    return people


class LockedEntropy(CountedEntropy):
    """For threads."""

    turn = threading.Lock()

    def token(self, length: int) -> bytes:
        with self.turn:
            return super().token(length)


def test_of_sign_ins_with_the_same_code_exactly_one_passes(records: Records) -> None:
    """等保三级 8.1.4.1 d: a one-time code is used once, whoever comes at the same moment."""
    people = people_on(records, FactorPolicy.TOTP)
    people.with_totp()
    challenges = [people.challenged().challenge for _ in range(THREADS)]
    code = people.code()
    found = together(lambda number: people.second(VISITOR, PassSecondFactor(challenge=challenges[number], code=code)))
    assert sum(isinstance(one, SignedIn) for one in found) == 1
    assert found.count(Unauthenticated) == THREADS - 1
    with records.read() as transaction:
        assert len(transaction.sessions.open_of("zhang")) == 1


def test_guesses_that_come_together_count_as_those_that_come_one_by_one(records: Records) -> None:
    people = people_on(records, None)
    assert set(together(lambda number: people.sign_in(password=f"wrong {number}"))) == {Unauthenticated}
    with records.read() as transaction:
        found = transaction.logins.find("zhang")
    assert found is not None
    assert found.failures == 5, "the sixth found the account locked"
    assert found.locked_until == people.clock.now() + timedelta(minutes=1)
    with pytest.raises(Unauthenticated):
        people.sign_in(password=PASSWORD)


def test_of_sign_ins_with_the_same_id_token_exactly_one_passes(records: Records) -> None:
    people = people_on(records, None)
    with records.write() as transaction:
        transaction.identity_links.put(link("zhang", "zhang"))
        transaction.commit()
    found = together(lambda _: people.by_provider(VISITOR, SignInByProvider(id_token="id-token-1")))
    assert sum(isinstance(one, SignedIn) for one in found) == 1
    assert found.count(Unauthenticated) == THREADS - 1
