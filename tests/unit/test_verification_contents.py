"""What /Contents holds is told by its bytes; PDF dates and reports."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from asn1crypto import core
from hypothesis import given
from hypothesis import strategies as st

from seal_service.formats.cms import tlv
from seal_service.formats.cms_reading import ContentKind, octets_attribute, read_contents
from seal_service.formats.pdf_dates import parse_pdf_date

SEQUENCE, INTEGER, OCTETS, OID = 0x30, 0x02, 0x04, 0x06


def oid(dotted: str) -> bytes:
    value: bytes = core.ObjectIdentifier(dotted).dump()
    return value


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (tlv(SEQUENCE, oid("1.2.840.113549.1.7.2"), tlv(0xA0, tlv(SEQUENCE))), ContentKind.CMS),
        (tlv(SEQUENCE, oid("1.2.156.10197.6.1.4.2.2"), tlv(0xA0, tlv(SEQUENCE))), ContentKind.NATIONAL_CMS),
        (tlv(SEQUENCE, tlv(SEQUENCE, tlv(INTEGER, b"\4"), tlv(SEQUENCE)), tlv(OCTETS, b"c")), ContentKind.SES),
        (tlv(OCTETS, b"\1" * 256), ContentKind.PKCS1),
        (tlv(SEQUENCE, oid("1.2.840.113549.1.7.1")), ContentKind.UNKNOWN),
        (tlv(SEQUENCE, tlv(SEQUENCE, tlv(SEQUENCE))), ContentKind.UNKNOWN),
        (tlv(INTEGER, b"\1"), ContentKind.UNKNOWN),
        (tlv(SEQUENCE), ContentKind.UNKNOWN),
    ],
)
def test_the_kind_is_told_by_the_bytes(value: bytes, kind: ContentKind) -> None:
    read = read_contents(value + bytes(100))
    assert (read.kind, read.value, read.padding_is_zero) == (kind, value, True)


def test_bytes_after_the_value_are_noticed() -> None:
    assert not read_contents(tlv(SEQUENCE) + b"\0\1\0").padding_is_zero


@given(st.binary(max_size=60))
def test_no_bytes_raise_anything_but_a_value_error(data: bytes) -> None:
    try:
        read = read_contents(data)
    except ValueError:
        return
    assert data.startswith(read.value)


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)))  # noqa: DTZ001 - the zone is added
def test_a_pdf_date_is_read_back_to_the_second(moment: datetime) -> None:
    expected = moment.replace(microsecond=0, tzinfo=UTC)
    text = f"D:{expected.year:04}{expected.month:02}{expected.day:02}"
    text += f"{expected.hour:02}{expected.minute:02}{expected.second:02}"
    assert parse_pdf_date(text + "Z") == expected
    assert parse_pdf_date(text + "+00'00'") == expected


def test_a_pdf_date_has_its_offset_taken_off() -> None:
    assert parse_pdf_date("D:20260601200000+08'00'") == datetime(2026, 6, 1, 12, tzinfo=UTC)
    assert parse_pdf_date("D:2026") == datetime(2026, 1, 1, tzinfo=UTC)


@given(st.text(max_size=40))
def test_any_text_is_a_pdf_date_or_none(text: str) -> None:
    assert parse_pdf_date(text) is None or text.startswith("D:")


@pytest.mark.parametrize("text", [None, "", "2026-06-01", "D:20269901", "D:20260601+99'00'", "D:00000101"])
def test_what_is_no_pdf_date_is_none(text: str | None) -> None:
    assert parse_pdf_date(text) is None


def test_attributes_that_are_not_there_are_none() -> None:
    assert octets_attribute(core.VOID, "2.25.1", 32) is None
