"""The canonical bytes of log entries: RFC 8785 within the log's profile, with the rfc8785 library as oracle."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from seal_service.domain.errors import InvalidInput
from seal_service.formats import canonical
from seal_service.formats.merkle_leaf import leaf_hash

keys = st.text(st.characters(max_codepoint=0x7F), max_size=12)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
)
values = scalars | st.lists(scalars, max_size=4)
leaves = st.dictionaries(keys, values | st.dictionaries(keys, values, max_size=5), max_size=8)


@given(leaves)
def test_bytes_are_those_of_rfc_8785(leaf: dict[str, Any]) -> None:
    assert canonical.encode(leaf) == rfc8785.dumps(leaf)


@given(leaves)
def test_what_was_encoded_is_decoded(leaf: dict[str, Any]) -> None:
    assert canonical.decode(canonical.encode(leaf)) == leaf


@given(st.binary(max_size=200) | st.recursive(st.floats() | scalars, st.lists).map(lambda v: json.dumps(v).encode()))
def test_any_bytes_are_canonical_or_refused(content: bytes) -> None:
    try:
        leaf = canonical.decode(content)
    except InvalidInput:
        return
    assert canonical.encode(leaf) == content


@pytest.mark.parametrize(
    "content",
    [
        b'{"a": 1}',
        b'{"a":1}\n',
        b'{"b":1,"a":1}',
        b'{"a":1,"a":1}',
        b'{"a":1.0}',
        b'{"a":1e2}',
        b'{"a":-0}',
        b'{"a":NaN}',
        b'{"a":"\\u0041"}',
        b'{"a":"\\/"}',
        b'{"a":"\\ud800"}',
        b'{"a":"\xff"}',
        b'\xef\xbb\xbf{"a":1}',
        b'{"a":9007199254740992}',
        b'{"a":' + b"9" * 5000 + b"}",
        b'{"a":{"b":{"c":1}}}',
        b'{"a":[[1]]}',
        b'{"a":[{}]}',
        '{"é":1}'.encode(),
        b"[1]",
        b"1",
        b"",
        b"[" * 16_000,
        b'{"a":' * 3_000,
    ],
)
def test_other_bytes_are_refused(content: bytes) -> None:
    with pytest.raises(InvalidInput):
        canonical.decode(content)


@pytest.mark.parametrize(
    "leaf",
    [
        {"a": 1.5},
        {"a": float("nan")},
        {"a": 2**53},
        {"a": -(2**53)},
        {"a": "\ud800"},
        {"\ud800": 1},
        {"键": 1},
        {1: 1},
        {"a": {"b": {"c": 1}}},
        {"a": [[1]]},
        {"a": [1.5]},
        {"a": b"bytes"},
    ],
)
def test_values_outside_the_profile_are_refused(leaf: Any) -> None:
    with pytest.raises(InvalidInput):
        canonical.encode(leaf)


def test_sixteen_kibibytes_is_the_limit_both_ways() -> None:
    largest = {"a": "x" * (canonical.LARGEST_BYTES - len('{"a":""}'))}
    canon = canonical.encode(largest)
    assert len(canon) == canonical.LARGEST_BYTES
    assert canonical.decode(canon) == largest
    with pytest.raises(InvalidInput, match="16385 bytes"):
        canonical.encode({"a": largest["a"] + "x"})
    with pytest.raises(InvalidInput, match="16385 bytes"):
        canonical.decode(canon[:-2] + b'x"}')


def test_leaf_hash_is_that_of_rfc_6962() -> None:
    """RFC 6962, 2.1; the empty leaf's hash is the well-known test vector."""
    assert leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert leaf_hash(b"{}") == hashlib.sha256(b"\x00{}").digest()
