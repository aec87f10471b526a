"""脱敏: what no log line may hold: secrets, keys and personal numbers, by the name and by the form of a value.

It is the last thing between a message and the log. Nothing is to rely on it: who writes a message leaves secrets out;
this holds where an error of another library repeats what it was given.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

REDACTED = "[redacted]"
LONGEST_TEXT = 16_384
"""Characters of one text; the rest is left out."""
MOST_ITEMS = 100
"""Items of one list or mapping; the rest is left out."""
DEEPEST = 12

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SECRET_WORDS = frozenset({"pin", "pins", "pwd", "cookie", "cookies"})
_SECRET_PARTS = (
    "secret", "password", "passwd", "passphrase", "authorization", "privatekey", "masterkey", "databaseurl",
    "databaseownerurl", "apikey", "token", "credential", "setcookie",
)  # fmt: skip

_WORD = re.compile(r"[A-Za-z_./{}-]{0,64}")
"""What holds none of what is searched for below, beside `eyJ`: most names and values of the lines about requests."""
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\Z)", re.S)
_URL_USER = re.compile(r"(?<![A-Za-z0-9])([A-Za-z][A-Za-z0-9+.-]{0,30}://)[^\s<>]{0,2000}@")
_BEARER = re.compile(r"(?i)\b(bearer|negotiate)\s+[\w.~+/=-]+")
_BASIC = re.compile(r"(?i:\b(basic))\s+(?=[a-z+/=]*[A-Z0-9])[A-Za-z0-9+/]{4,}={0,2}")
_JWT = re.compile(r"(?<![\w-])eyJ[\w-]{5,}(?:\.[\w-]*){1,4}")
_MASTER = re.compile(r"(?i)(master[^\n]{0,80}?)(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_ARGON = re.compile(r"\$argon2(?:id|i|d)\$\S+")
_HEADER = re.compile(r"(?i)(cookie|authorization)(['\"]?\s*[=:]\s*)[^\r\n]+")
_NAMED = re.compile(
    r"(?i)((?<![a-z])pin|pwd|pass(?:word|wd|phrase)|(?:private|master|api)[ _-]?key|secret|token)(['\"]?\s*[=:]\s*)"
    r"(?!\[redacted\])('[^']*(?:'|\Z)|\"[^\"]*(?:\"|\Z)|[^\s,;&'\")\]}]+)"
)
_TOLD = re.compile(r"(?i)\b(password|passphrase|pin|secret)( is )(?!\[redacted\])\S+")
_NUMBERS = re.compile(
    r"(?P<name>(?<![0-9A-Za-z])(?:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{32,128})(?![0-9A-Za-z]))"
    r"|(?<!\d)(?P<identity>\d{17}[\dXx])(?!\d)"
    r"|(?<!\d)(?P<mobile>(?:(?:\+|00)?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4})(?!\d)"
)
IDENTITY_LENGTH = 18
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@lru_cache(maxsize=512)
def names_a_secret(name: str) -> bool:
    """Whether what stands under this name is left out, whatever it is."""
    words = [one.lower() for one in _WORDS.findall(name)]
    joined = "".join(words)
    return not _SECRET_WORDS.isdisjoint(words) or any(part in joined for part in _SECRET_PARTS)


def redacted(value: object, depth: int = 0) -> object:
    """The value as a log line may hold it: text, numbers, lists and mappings with text as keys."""
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return REDACTED if _is_identity_number(str(value)) else value
    if isinstance(value, str):
        return redacted_text(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return f"[{len(value)} bytes]"
    if depth >= DEEPEST:
        return "[…]"
    if isinstance(value, Mapping):
        return redacted_fields(value, depth)
    if isinstance(value, list | tuple | set | frozenset):
        items = list(value)
        kept = [redacted(one, depth + 1) for one in items[:MOST_ITEMS]]
        return [*kept, f"[{len(items) - MOST_ITEMS} more]"] if len(items) > MOST_ITEMS else kept
    return redacted_text(_told(value))


def redacted_fields(fields: Mapping[Any, object], depth: int = 0) -> dict[str, object]:
    """The fields with their values redacted, and left out where the name says that they are secret."""
    kept: dict[str, object] = {}
    for name, value in fields.items():
        if len(kept) == MOST_ITEMS:
            kept["…"] = f"[{len(fields) - MOST_ITEMS} more]"
            break
        told = _told(name)
        secret = names_a_secret(told) and value is not None and not isinstance(value, bool)
        kept[redacted_text(told)] = REDACTED if secret else redacted(value, depth + 1)
    return kept


def redacted_text(text: str) -> str:
    """The text without secrets and personal numbers, and no longer than a line of a log should be."""
    return text if _WORD.fullmatch(text) and "eyJ" not in text else _searched(_shortened(text))


def _searched(text: str) -> str:
    text = _PRIVATE_KEY.sub(REDACTED, text)
    text = _MASTER.sub(rf"\g<1>{REDACTED}", text)
    text = _URL_USER.sub(rf"\g<1>{REDACTED}@", text)
    text = _HEADER.sub(rf"\g<1>\g<2>{REDACTED}", text)
    text = _BEARER.sub(rf"\g<1> {REDACTED}", text)
    text = _BASIC.sub(rf"\g<1> {REDACTED}", text)
    text = _JWT.sub(REDACTED, text)
    text = _ARGON.sub(REDACTED, text)
    text = _NAMED.sub(rf"\g<1>\g<2>{REDACTED}", text)
    text = _TOLD.sub(rf"\g<1>\g<2>{REDACTED}", text)
    return _NUMBERS.sub(_without_number, text)


def _shortened(text: str) -> str:
    """Cut where a word ends, so that no half of a secret stays that is not known as one any more."""
    if len(text) <= LONGEST_TEXT:
        return text
    kept = text[: max(text.rfind(space, 0, LONGEST_TEXT) for space in " \n\t") + 1]
    return f"{kept}[{len(text) - len(kept)} more characters]"


def _without_number(found: re.Match[str]) -> str:
    identity = found["identity"]
    if found["mobile"] or (identity and _is_identity_number(identity)):
        return REDACTED
    return found[0]


def _is_identity_number(text: str) -> bool:
    """公民身份号码: whether the check character is right (GB 11643, 4.2.4)."""
    if len(text) != IDENTITY_LENGTH:
        return False
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, text, strict=False))
    check = "10X98765432"[total % 11]
    last = text[-1].upper()
    return (last if last == "X" else str(int(last))) == check


def _told(value: object) -> str:
    try:
        return str(value)
    except Exception as error:  # a log line is written all the same
        return f"[{type(value).__name__} that cannot be shown: {type(error).__name__}]"
