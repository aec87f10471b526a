"""日志密钥更替 as the log's entries `log.close` and `log.open` have it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

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
    opened = [one for one in map(canonical.decode, canons) if one.get("kind") == EventKind.LOG_OPENED]
    # That of the log's beginning names no key. Clocks give several entries one millisecond: keys are told by number.
    named = [_period(one) for one in opened if "key_number" in _facts(one)]
    for previous_key, period in sorted(named, key=lambda one: one[1].number):
        last = found[-1]
        if period.number != last.number + 1 or period.above < last.above:
            raise _misnamed(period.opened_by, "it does not follow the one before")
        if last.verifier_key not in (None, previous_key):
            raise _misnamed(period.opened_by, "it names another key before it")
        found[-1] = replace(last, verifier_key=previous_key)
        found.append(period)
    return tuple(found)


def _period(entry: Mapping[str, object]) -> tuple[str, LogKeyPeriod]:
    """The key before, and the one that an entry opens; LogDamaged."""
    facts = _facts(entry)
    try:
        number, above, key = facts["key_number"], facts["previous_size"], facts["verifier_key"]
        if type(number) is not int or type(above) is not int or not isinstance(key, str):
            raise ValueError("a number, a size and a key are needed")
        period = LogKeyPeriod(
            number=number,
            verifier_key=key,
            above=above,
            opened_by=str(entry["id"]),
            since=datetime.fromisoformat(str(entry["at"])),
            previous_root=bytes.fromhex(str(facts["previous_root"])),
        )
        return str(facts["previous_key"]), period
    except (KeyError, ValueError) as error:
        raise _misnamed(entry.get("id"), str(error)) from error


def _misnamed(entry_id: object, why: str) -> LogDamaged:
    return LogDamaged(
        f"The entry {entry_id} (log.open) names no key that follows: {why}. Run `seal log audit`, and compare with a "
        "backup"
    )


def unclosed(canons: Sequence[bytes]) -> Iterator[tuple[str, str | None]]:
    """Entries `log.open` of keys that were not lost, each with its `log.close`: before it there has to be one."""
    entries = [canonical.decode(canon) for canon in canons]
    for entry in entries:
        facts = _facts(entry)
        if entry.get("kind") == EventKind.LOG_OPENED and "key_number" in facts and facts.get("key_lost") is not True:
            yield str(entry["id"]), closing_entry(canons, str(facts.get("verifier_key")))


def closing_entry(canons: Iterable[bytes], next_key: str) -> str | None:
    """The entry `log.close` that names a next key, the newest one; None without any."""
    closed = [one for one in map(canonical.decode, canons) if one.get("kind") == EventKind.LOG_CLOSED]
    found = [str(one["id"]) for one in closed if _facts(one).get("next_key") == next_key]
    return found[-1] if found else None


def _facts(entry: Mapping[str, object]) -> dict[str, object]:
    facts = entry.get("facts")
    return dict(facts) if isinstance(facts, dict) else {}
