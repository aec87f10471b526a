"""口令: what a password must be, how long it lasts, what wrong ones lead to (等保三级 8.1.4.1; article 24).

Pure rules; hashing is a port's (ports/people.py).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

SHORTEST, LONGEST = 12, 128
HISTORY = 5
"""So many passwords, the present one among them, are not taken again."""
LIFETIME = timedelta(days=90)
"""Article 24: 定期更换口令."""
WARNING = timedelta(days=14)
INITIAL_LIFETIME = timedelta(days=7)
"""How long a password that an administrator handed out waits for its first use."""
FREE_FAILURES = 5
LONGEST_LOCK = timedelta(minutes=30)
_FEWEST_CHARACTERS = 5
_TAKEN_APART = ("password", "passw0rd", "qwerty", "letmein", "iloveyou", "welcome", "administrator", "abc123", "mima")
_COMMON = frozenset({"123456789012", "1q2w3e4r5t6y", "qwertyuiop12", "1qaz2wsx3edc", "zaq12wsxcde3", "woaini1314520"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """登录信息 of a person's account: the password and what was made of it so far."""

    account_id: str
    login_name: str | None = None
    """Another name to sign in with than the account's id."""
    password_hash: str | None = None
    """argon2id; None: this person signs in through a provider only."""
    history: tuple[str, ...] = ()
    """Hashes of earlier passwords, newest first, without the present one."""
    changed_at: datetime | None = None
    must_change: bool = False
    """It was handed out by somebody else: it opens nothing but its own change."""
    failures: int = 0
    """Wrong passwords and codes since the last complete sign-in."""
    locked_until: datetime | None = None
    last_login_at: datetime | None = None


def normalized(password: str) -> str:
    """The one form in which a password is judged and hashed: keyboards differ in how they compose a character."""
    return unicodedata.normalize("NFKC", password)


def reasons_against(password: str, names: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Every reason (code, sentence) not to take a password, given the names that belong to its account."""
    found: list[tuple[str, str]] = []
    text = normalized(password)
    folded = text.casefold()
    if not SHORTEST <= len(text) <= LONGEST:
        found.append(("length", f"A password has {SHORTEST} to {LONGEST} characters"))
    if any(unicodedata.category(one) in ("Cc", "Cs") for one in text):
        found.append(("characters", "A password has no control characters"))
    if any(len(name) > 1 and name.casefold() in folded for name in map(normalized, names)):
        found.append(("name", "A password does not contain the account's name"))
    if len(set(folded)) < _FEWEST_CHARACTERS or folded in _COMMON or any(one in folded for one in _TAKEN_APART):
        found.append(("common", "The password is one of those that are tried first"))
    return tuple(found)


def expires_at(login: Login) -> datetime | None:
    """When the password ends: 90 days after its change, 7 for one that was handed out; None: there is none."""
    if login.password_hash is None or login.changed_at is None:
        return None
    return login.changed_at + (INITIAL_LIFETIME if login.must_change else LIFETIME)


def is_worthless(login: Login, now: datetime) -> bool:
    """Whether a password that was handed out was not used in time: then it does not even open its own change."""
    ends = expires_at(login)
    return login.must_change and ends is not None and now >= ends


def change_required(login: Login, now: datetime) -> bool:
    """Whether the password opens nothing but its own change: handed out by somebody else, or older than 90 days."""
    ends = expires_at(login)
    return ends is not None and (login.must_change or now >= ends)


def warned(login: Login, now: datetime) -> bool:
    """Whether the password ends within 14 days."""
    ends = expires_at(login)
    return ends is not None and now >= ends - WARNING


def is_locked(login: Login, now: datetime) -> bool:
    """Whether nobody signs in with a password or code now."""
    return login.locked_until is not None and now < login.locked_until


def after_failure(login: Login, now: datetime) -> Login:
    """After one more wrong password or code: from the fifth on locked for 1, 2, 4, 8, … minutes, 30 at most."""
    failures = login.failures + 1
    if failures < FREE_FAILURES:
        return replace(login, failures=failures)
    minutes = 1 << min(failures - FREE_FAILURES, 16)
    return replace(login, failures=failures, locked_until=now + min(timedelta(minutes=minutes), LONGEST_LOCK))


def after_login(login: Login, now: datetime) -> Login:
    """After a complete sign-in, all factors passed: only that takes failures back."""
    return replace(login, failures=0, locked_until=None, last_login_at=now)


def changed(login: Login, password_hash: str, now: datetime, *, by_somebody_else: bool) -> Login:
    """With another password; the one before joins the history."""
    history = login.history if login.password_hash is None else (login.password_hash, *login.history)
    return replace(
        login,
        password_hash=password_hash,
        history=history[: HISTORY - 1],
        changed_at=now,
        must_change=by_somebody_else,
        failures=0,
        locked_until=None,
    )
