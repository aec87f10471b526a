"""The parts of the HTTP door that stand alone: problem table, negotiation, rate, names, the contract's file."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from seal_service.api import contract
from seal_service.api.limits import MOST_BUCKETS, TokenBuckets
from seal_service.api.negotiation import preferred
from seal_service.api.problems import OF_ERRORS, OF_THE_DOOR, OF_THE_PAGES, DoorRefusal
from seal_service.api.schemas.common import Moment
from seal_service.api.trust import MOST_ANCHORS, anchors_of
from seal_service.api.uploads import LONGEST_FILE_NAME, file_name
from seal_service.domain.errors import InvalidInput, SealServiceError
from seal_service.domain.use import Operator, operator_of
from tests.pki_instance import instance_of

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def root_certificate() -> bytes:
    """DER."""
    return instance_of().services.certificate("root")


def _tree(kind: type[SealServiceError]) -> Iterator[type[SealServiceError]]:
    yield kind
    for one in kind.__subclasses__():
        if one.__module__.startswith("seal_service.domain.errors."):
            yield from _tree(one)


def test_every_class_of_the_error_tree_has_its_own_row() -> None:
    assert set(_tree(SealServiceError)) == set(OF_ERRORS)


def test_codes_of_problems_are_distinct_and_their_statuses_are_refusals() -> None:
    codes = [kind.code().replace("_", "-") for kind in OF_ERRORS] + [*OF_THE_DOOR, *OF_THE_PAGES]
    assert len(codes) == len(set(codes))
    assert all(400 <= row.status < 600 for row in (*OF_ERRORS.values(), *OF_THE_DOOR.values(), *OF_THE_PAGES.values()))
    assert all(
        row.zh and row.en.isascii() for row in (*OF_ERRORS.values(), *OF_THE_DOOR.values(), *OF_THE_PAGES.values())
    )


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, "application/pdf"),
        ("", "application/pdf"),
        ("*/*", "application/pdf"),
        ("application/json", "application/json"),
        ("application/json;q=0.5, application/pdf", "application/pdf"),
        ("application/pdf;q=0, */*", "application/json"),
        ("APPLICATION/JSON; q=1.0", "application/json"),
        ("application/*;q=0.1, application/json", "application/json"),
        ("text/html, */*;q=0.1", "application/pdf"),
    ],
)
def test_the_preferred_media_type_is_chosen(accept: str | None, chosen: str) -> None:
    """RFC 9110, 12.5.1."""
    assert preferred(accept, ("application/pdf", "application/json")) == chosen


@given(st.text(max_size=80))
def test_any_accept_header_is_answered_or_refused(accept: str) -> None:
    with suppress(DoorRefusal):
        assert preferred(accept, ("application/pdf", "application/json")) in ("application/pdf", "application/json")


def test_a_bucket_empties_fills_again_and_never_overflows() -> None:
    now = [0.0]
    buckets = TokenBuckets(lambda: now[0])
    assert [buckets.take("a", 3).granted for _ in range(4)] == [True, True, True, False]
    assert buckets.take("b", 3).granted
    refused = buckets.take("a", 3)
    assert (refused.remaining, refused.seconds) == (0, 20)
    assert refused.headers()["Retry-After"] == "20"
    now[0] += 20
    assert buckets.take("a", 3).granted
    now[0] += 1_000_000
    assert [buckets.take("a", 3).granted for _ in range(4)] == [True, True, True, False]


def test_the_number_of_buckets_is_bounded() -> None:
    buckets = TokenBuckets(lambda: 0.0)
    for number in range(MOST_BUCKETS + 10):
        buckets.take(str(number), 1)
    assert buckets.take("0", 1).granted, "the oldest was given up"
    assert not buckets.take(str(MOST_BUCKETS + 9), 1).granted


@given(st.text())
def test_a_file_name_is_printable_short_and_no_path(given_name: str) -> None:
    name = file_name(given_name)
    assert 1 <= len(name) <= LONGEST_FILE_NAME
    assert name.isprintable()
    assert "/" not in name
    assert "\\" not in name


def test_the_last_step_of_a_path_is_the_file_name() -> None:
    assert file_name("C:\\文件\\批复.pdf") == "批复.pdf"
    assert file_name("../../etc/passwd") == "passwd"
    assert file_name(None) == file_name("///") == "document"


@pytest.mark.parametrize("text", ["0.5", "1", "2026-01-01", "2026-01-01T00:00:00", "0001-01-01T00:00:00+01:00", "now"])
def test_what_is_no_time_of_rfc_3339_with_a_zone_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Moment).validate_python(text)


def test_a_time_is_read_into_utc() -> None:
    read = TypeAdapter(Moment).validate_python("2026-01-01T08:00:00.5+08:00")
    assert read == datetime(2026, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC)
    assert read.tzinfo is UTC


@given(st.binary(max_size=200))
def test_what_is_no_certificate_is_refused(text: bytes) -> None:
    with suppress(InvalidInput):
        assert anchors_of(text) == ()


def test_trust_anchors_are_bounded_and_the_field_is_named(root_certificate: bytes) -> None:
    pem = b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(root_certificate) + b"-----END CERTIFICATE-----\n"
    assert anchors_of(b" \n") == ()
    assert anchors_of(pem * MOST_ANCHORS) == (root_certificate,)
    for wrong in (pem * (MOST_ANCHORS + 1), pem.replace(b"MII", b"M=I"), b"text"):
        with pytest.raises(InvalidInput) as refused:
            anchors_of(wrong)
        assert refused.value.details["field"] == "trust"


@pytest.mark.parametrize(
    ("given_parts", "field"),
    [
        (("U1", None, None), "operator_name"),
        ((None, "张三", None), "operator_id"),
        ((None, None, "一科"), "operator_id"),
        (("", "张三", None), "operator_id"),
        (("U1", "", "一科"), "operator_name"),
    ],
)
def test_half_an_operator_is_refused_and_the_missing_field_named(
    given_parts: tuple[str | None, str | None, str | None], field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        operator_of(*given_parts)
    assert refused.value.details["field"] == field


def test_a_whole_operator_or_none_is_taken() -> None:
    assert operator_of(None, None, None) is None
    assert operator_of("U1", "张三", "一科") == Operator(id="U1", name="张三", department="一科")


def test_openapi_yaml_is_what_the_code_says() -> None:
    """The generated contract has not drifted."""
    assert contract.main(["--check", str(ROOT / "openapi.yaml")]) == 0


def test_drift_is_found_and_mended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "openapi.yaml"
    assert contract.main(["--check", str(file)]) == 1
    assert "differs" in capsys.readouterr().err
    assert contract.main([str(file)]) == 0
    assert contract.main(["--check", str(file)]) == 0
    file.write_text(file.read_text().replace("印章", "印"))
    assert contract.main(["--check", str(file)]) == 1


def test_every_operation_of_the_contract_has_a_stable_id_a_chinese_term_and_its_roles() -> None:
    document = yaml.safe_load(contract.contract_text())
    operations = [operation for item in document["paths"].values() for operation in item.values()]
    identifiers = [operation["operationId"] for operation in operations]
    assert len(identifiers) == len(set(identifiers))
    for operation in operations:
        term, _, english = operation["summary"].partition(": ")
        assert not term.isascii()
        assert english
        assert ("security" in operation) == (operation["x-permission"] != "public")
        assert bool(operation["x-roles"]) == ("security" in operation)


def test_every_operation_that_takes_an_idempotency_key_says_what_a_key_used_otherwise_meets() -> None:
    for path, item in yaml.safe_load(contract.contract_text())["paths"].items():
        for operation in item.values():
            if any(one["name"] == "Idempotency-Key" for one in operation.get("parameters", ())):
                assert "409" in operation["responses"], (path, operation["operationId"])
