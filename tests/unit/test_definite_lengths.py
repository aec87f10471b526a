"""asn1crypto gives back the bytes that it read, whatever byte their length ends in."""

from __future__ import annotations

import pytest
from asn1crypto import core

import seal_service.formats  # noqa: F401 - the mend comes with the package


class Strings(core.SequenceOf):  # type: ignore[misc]
    _child_spec = core.OctetString


def long_form(tag: int, body: bytes) -> bytes:
    return bytes([tag, 0x82]) + len(body).to_bytes(2, "big") + body


@pytest.mark.parametrize("length", [0x0180, 0x0181, 0x0280, 0x8080])
def test_what_was_read_is_given_back_though_it_is_no_der(length: int) -> None:
    """The octet string has its length in a longer form than DER allows: encoded anew it would be other bytes."""
    child = bytes([0x04, 0x83]) + (length - 5).to_bytes(3, "big") + bytes(length - 5)
    read = long_form(0x30, child)
    for kind in (Strings, core.Sequence):
        value = kind.load(read)
        assert value.dump() == read
    strings = Strings.load(read)
    assert strings[0].native == bytes(length - 5)
    assert strings.dump() == read, "also after its children were parsed"


def test_a_changed_value_is_encoded_anew() -> None:
    read = long_form(0x30, long_form(0x04, bytes(0x017C)))
    value = Strings.load(read)
    value[0] = b"changed"
    assert value.dump() == bytes.fromhex("3009 0407") + b"changed"


def test_an_indefinite_length_still_becomes_definite() -> None:
    read = bytes.fromhex("3080 0401 61 0000")
    assert Strings.load(read).dump() == bytes.fromhex("3003 0401 61")
