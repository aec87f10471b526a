"""日志密钥更替 as the log's entries `log.close` and `log.open` have it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from seal_service.domain.errors import LogDamaged
from seal_service.domain.events import EventKind, Scalar
from seal_service.domain.log_keys import FIRST, LogKeyPeriod
from seal_service.domain.publication import SignedTree
from seal_service.formats import canonical


def closing_facts(origin: str, period: LogKeyPeriod, verifier_key: str, next_key: str) -> dict[str, Scalar]:
    """What `log.close` says: under the last checkpoint of a key, by whose word whoever trusts it learns the next."""
    return {"origin": origin, "key_number": period.number, "verifier_key": verifier_key, "next_key": next_key}


def opening_facts(
    origin: str, period: LogKeyPeriod, verifier_key: str, next_key: str, tree: SignedTree, *, key_lost: bool = False
) -> dict[str, Scalar]:
    """What `log.open` says of a key that follows another one, whose last checkpoint is of this tree."""
    return {
        "origin": origin,
        "key_number": period.number + 1,
        "verifier_key": next_key,
        "previous_key": verifier_key,
        "previous_size": tree.size,
        "previous_root": tree.root.hex(),
        "key_lost": key_lost,
    }


def log_key_periods(canons: Iterable[bytes]) -> tuple[LogKeyPeriod, ...]:
    """The keys that entries `log.open` name, the first one first; LogDamaged when they do not follow one another."""
    found = [FIRST]
    # That of the log's beginning names no key. Clocks give several entries one millisecond: they are told by number.
    entries = [canonical.decode(canon) for canon in canons]
    opened = [_facts(one) | {"id": one["id"]} for one in entries if one.get("kind") == EventKind.LOG_OPENED]
    for facts in sorted(
        (one for one in opened if "key_number" in one), key=lambda one: str(one["key_number"]).zfill(9)
    ):
        number, above = facts["key_number"], facts.get("previous_size")
        key, previous = facts.get("verifier_key"), facts.get("previous_key")
        last = found[-1]
        follows = number == last.number + 1 and isinstance(above, int) and above >= last.above
        if not follows or not isinstance(key, str) or last.verifier_key not in (None, previous):
            raise LogDamaged("The log's entries `log.open` name keys that do not follow one another")
        found[-1] = replace(last, verifier_key=str(previous))
        found.append(
            LogKeyPeriod(number=last.number + 1, verifier_key=key, above=int(str(above)), opened_by=str(facts["id"]))
        )
    return tuple(found)


def closing_entry(canons: Iterable[bytes], next_key: str) -> str | None:
    """The entry `log.close` that names a next key, the newest one; None without any."""
    closed = [one for one in map(canonical.decode, canons) if one.get("kind") == EventKind.LOG_CLOSED]
    found = [str(one["id"]) for one in closed if _facts(one).get("next_key") == next_key]
    return found[-1] if found else None


def _facts(entry: Mapping[str, object]) -> dict[str, object]:
    facts = entry.get("facts")
    return dict(facts) if isinstance(facts, dict) else {}
