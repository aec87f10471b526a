"""Every aggregate comes back from its row as it went in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, create_engine, insert, select
from sqlalchemy.pool import StaticPool

from seal_service.domain.access import Account
from seal_service.domain.application import Application
from seal_service.domain.grant import Grant
from seal_service.domain.impression import Impression
from seal_service.domain.issuance import AuthorityCredential, IssuedCertificate
from seal_service.domain.organization import Unit
from seal_service.domain.scenario import Scenario
from seal_service.domain.seal import Credential, Seal
from seal_service.domain.use import IntentReference, SealUse
from seal_service.ports.records import LogRow
from seal_service.storage import mapping, tables
from seal_service.storage.cursor import decode_cursor, encode_cursor

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
MOMENTS = st.datetimes(
    datetime(1900, 1, 1),  # noqa: DTZ001
    datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=8))]),
)
WHOLE = st.integers(0, 2**31 - 1)
MILLIMETRES = st.floats(0, 1000, allow_nan=False)
st.register_type_strategy(str, TEXT)
st.register_type_strategy(datetime, MOMENTS)
st.register_type_strategy(int, WHOLE)
SCENARIOS = st.builds(Scenario, code=st.from_regex(r"[a-z0-9][a-z0-9._-]{0,31}", fullmatch=True))
IMPRESSIONS = st.builds(Impression, width_mm=MILLIMETRES, height_mm=MILLIMETRES)
GRANTS = st.builds(
    Grant,
    scenario=SCENARIOS,
    valid_from=MOMENTS,
    valid_until=st.just(datetime(2300, 1, 1, tzinfo=UTC)),
    maximum_uses=st.none() | st.integers(1, 2**62),
    responsible_person=st.just("责任人"),
    approval_number=st.just("示样〔2026〕1号"),
)
USES = st.builds(SealUse, intent=st.builds(IntentReference, leaf_hash=st.binary(min_size=32, max_size=32)))
LOG_ROWS = st.builds(LogRow, private=st.just(()))
SEALS = st.builds(
    Seal,
    version=st.just(1),
    impression=IMPRESSIONS,
    credentials=st.lists(
        st.builds(Credential, version=st.sampled_from([1, 2])), min_size=1, max_size=3, unique_by=lambda one: one.id
    ).map(lambda found: (replace(found[0], version=1), *found[1:])),
)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """Tables without foreign keys' enforcement: this is about one row at a time."""
    engine = create_engine("sqlite://", poolclass=StaticPool)
    tables.StoredRow.metadata.create_all(engine)
    yield engine
    engine.dispose()


def there_and_back(
    engine: Engine, table: type[tables.StoredRow], values: mapping.Values, of: Callable[[Any], object]
) -> object:
    with engine.connect() as connection:
        connection.execute(insert(table), values)
        found = of(connection.execute(select(table)).one())
        connection.rollback()
    return found


@given(thing=st.builds(Unit))
def test_unit(engine: Engine, thing: Unit) -> None:
    assert there_and_back(engine, tables.UnitRow, mapping.unit_values(thing), mapping.unit_of) == thing


@given(thing=st.builds(Account))
def test_account(engine: Engine, thing: Account) -> None:
    assert there_and_back(engine, tables.AccountRow, mapping.account_values(thing), mapping.account_of) == thing


@given(thing=st.builds(Application, impression=IMPRESSIONS))
def test_application(engine: Engine, thing: Application) -> None:
    found = there_and_back(engine, tables.ApplicationRow, mapping.application_values(thing), mapping.application_of)
    assert found == thing


@given(thing=SEALS)
def test_seal_and_credentials(engine: Engine, thing: Seal) -> None:
    with engine.connect() as connection:
        connection.execute(insert(tables.SealRow), mapping.seal_values(thing))
        for position, one in enumerate(thing.credentials):
            values = mapping.credential_values(one, thing.code, position) | {"serial": str(position)}
            connection.execute(insert(tables.SealCredentialRow), values)
        of_seal = select(tables.SealCredentialRow).order_by(tables.SealCredentialRow.position)
        found = mapping.seal_of(connection.execute(select(tables.SealRow)).one(), connection.execute(of_seal))
        connection.rollback()
    expected = tuple(replace(one, serial=str(position)) for position, one in enumerate(thing.credentials))
    assert found == replace(thing, credentials=expected)


@given(thing=GRANTS)
def test_grant(engine: Engine, thing: Grant) -> None:
    assert there_and_back(engine, tables.GrantRow, mapping.grant_values(thing), mapping.grant_of) == thing


@given(thing=USES)
def test_use(engine: Engine, thing: SealUse) -> None:
    assert there_and_back(engine, tables.SealUseRow, mapping.use_values(thing), mapping.use_of) == thing


@given(thing=st.builds(IssuedCertificate))
def test_issued_certificate(engine: Engine, thing: IssuedCertificate) -> None:
    values = mapping.certificate_values(thing)
    assert there_and_back(engine, tables.IssuedCertificateRow, values, mapping.certificate_of) == thing


@given(thing=st.builds(AuthorityCredential))
def test_authority_credential(engine: Engine, thing: AuthorityCredential) -> None:
    values = mapping.authority_values(thing)
    assert there_and_back(engine, tables.AuthorityCredentialRow, values, mapping.authority_of) == thing


@given(thing=LOG_ROWS)
def test_log_row(engine: Engine, thing: LogRow) -> None:
    assert there_and_back(engine, tables.SignLogRow, mapping.log_values(thing), mapping.log_row_of) == thing


@given(order=TEXT, at=MOMENTS, key=TEXT)
def test_a_cursor_is_read_as_it_was_written(order: str, at: datetime, key: str) -> None:
    assert decode_cursor(order, encode_cursor(order, at, key)) == (at, key)
