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
    entries = [canonical.decode(canon) for canon in canons]
    opened = [(_facts(one), one) for one in entries if one.get("kind") == EventKind.LOG_OPENED]
    # That of the log's beginning names no key. Clocks give several entries one millisecond: they are told by number.
    for facts, entry in sorted((one for one in opened if "key_number" in one[0]), key=_number):
        last = found[-1]
        try:
            period = _period(facts, entry)
            if period.number != last.number + 1 or period.above < last.above:
                raise ValueError("it does not follow the one before")
            if last.verifier_key not in (None, facts["previous_key"]):
                raise ValueError("it names another key before it")
        except (KeyError, TypeError, ValueError) as error:
            raise LogDamaged(
                f"The entry {entry.get('id')} (log.open) names no key that follows: {error}. Run `seal log audit`, and "
                "compare with a backup"
            ) from error
        found[-1] = replace(last, verifier_key=str(facts["previous_key"]))
        found.append(period)
    return tuple(found)


def _number(opened: tuple[Mapping[str, object], Mapping[str, object]]) -> str:
    return str(opened[0]["key_number"]).zfill(9)


def _period(facts: Mapping[str, object], entry: Mapping[str, object]) -> LogKeyPeriod:
    number, above, key = facts["key_number"], facts["previous_size"], facts["verifier_key"]
    if type(number) is not int or type(above) is not int or not isinstance(key, str):
        raise ValueError("a number, a size and a key are needed")
    return LogKeyPeriod(
        number=number,
        verifier_key=key,
        above=above,
        opened_by=str(entry["id"]),
        since=datetime.fromisoformat(str(entry["at"])),
        previous_root=bytes.fromhex(str(facts["previous_root"])),
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
