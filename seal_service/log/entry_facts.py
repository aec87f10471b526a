"""日志条目内容: what a log entry says of a use, as far as a seal on a document is compared with it."""

from __future__ import annotations

from collections.abc import Mapping

from seal_service.domain.errors import InvalidInput
from seal_service.domain.logged import EntryFacts
from seal_service.formats import canonical
from seal_service.formats.base64_text import decoded
from seal_service.formats.merkle_leaf import leaf_hash
from seal_service.log.appendix_a import FIELDS

_SERIAL, _SIGNATURE = FIELDS["certificate_serial"][0], FIELDS["signature_value"][0]


def entry_facts(canon: bytes, origin: str) -> EntryFacts:
    """The facts of an entry's canonical bytes; InvalidInput when they are none, or of the log of another origin."""
    leaf = canonical.decode(canon)
    kind, entry_id = _text(leaf, "kind"), _text(leaf, "id")
    if kind is None or entry_id is None:
        raise InvalidInput("The record is no entry of a signing log")
    if leaf.get("log") != origin:
        raise InvalidInput("The entry is one of another log")
    record, facts = _object(leaf, "a"), _object(leaf, "facts")
    return EntryFacts(
        kind=kind,
        entry_id=entry_id,
        leaf_hash=leaf_hash(canon).hex(),
        seal_code=_text(leaf, "seal_code"),
        certificate_serial=_text(record, _SERIAL),
        signature_value=_signature_value(record),
        intent_id=_text(leaf, "intent_id"),
        intent_leaf_hash=_text(leaf, "intent_leaf_hash"),
        document_sha256=_text(leaf, "document_sha256"),
        document_size=_size(facts, "document_size"),
        repaired_sha256=_text(facts, "repaired_sha256"),
        repaired_size=_size(facts, "repaired_size"),
    )


def _signature_value(record: Mapping[str, object]) -> str | None:
    value = _text(record, _SIGNATURE)
    try:
        return None if value is None else decoded(value).hex()
    except ValueError as error:
        raise InvalidInput("The entry's signature value is not base64") from error


def _text(fields: Mapping[str, object], name: str) -> str | None:
    value = fields.get(name)
    return value if isinstance(value, str) else None


def _size(fields: Mapping[str, object], name: str) -> int | None:
    value = fields.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _object(fields: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = fields.get(name)
    return value if isinstance(value, dict) else {}
