"""编码: the codes and identifiers of units, areas, seals and log entries."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from seal_service.domain.errors import InvalidAreaCode, InvalidCreditCode, InvalidInput, InvalidSealCode

CREDIT_CODE_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""GB 32100-2015, table 2: the 31 characters; I, O, S, V and Z are not used."""

_CREDIT_CODE_WEIGHTS = tuple(pow(3, position, 31) for position in range(17))
_AREA_CODE = re.compile(r"[0-9]{6}")
_SEAL_CODE = re.compile(r"[0-9]{14}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_ENDS_IN_UUID7 = re.compile(r".*([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def credit_code_check_character(first_17: str) -> str:
    """统一社会信用代码校验码: the check character of the first 17 characters (GB 32100-2015, 4.6 and annex).

    Raises InvalidCreditCode for a wrong length or character.
    """
    if len(first_17) != 17:
        raise InvalidCreditCode(length=len(first_17) + 1)
    total = 0
    for weight, character in zip(_CREDIT_CODE_WEIGHTS, first_17, strict=True):
        value = CREDIT_CODE_ALPHABET.find(character)
        if value < 0:
            raise InvalidCreditCode(f"{character!r} is not a character of GB 32100")
        total += weight * value
    return CREDIT_CODE_ALPHABET[-total % 31]


def credit_code(text: str) -> str:
    """统一社会信用代码: the code in upper case, if its check character is right; else InvalidCreditCode."""
    code = text.strip().upper()
    if len(code) != 18:
        raise InvalidCreditCode(f"A 统一社会信用代码 has 18 characters, not {len(code)}")
    expected = credit_code_check_character(code[:17])
    if code[17] != expected:
        raise InvalidCreditCode(f"The check character of {code} is wrong: check what was typed")
    return code


def area_code(text: str) -> str:
    """行政区划代码: six digits as in GB/T 2260; else InvalidAreaCode."""
    if not _AREA_CODE.fullmatch(text):
        raise InvalidAreaCode
    return text


def seal_code(text: str) -> str:
    """印章编码: 14 digits, of which the first six are the area; else InvalidSealCode."""
    if not _SEAL_CODE.fullmatch(text):
        raise InvalidSealCode
    return text


def seal_code_of(area: str, serial: int) -> str:
    """印章编码 of a serial number in an area: `area` + eight digits; InvalidSealCode when the area is full."""
    if not 1 <= serial <= 99_999_999:
        raise InvalidSealCode(f"The seal codes of area {area} are used up")
    return f"{area_code(area)}{serial:08d}"


def digest(text: str) -> str:
    """杂凑值: 64 lower-case hexadecimal characters; else InvalidInput."""
    if not _DIGEST.fullmatch(text):
        raise InvalidInput("A digest is 64 lower-case hexadecimal characters (SHA-256 or SM3)")
    return text


def uuid7(at: datetime, random: bytes) -> str:
    """A time-ordered identifier (RFC 9562, 5.7) of a moment (ms) and ten random bytes, in the 8-4-4-4-12 form."""
    milliseconds = int(at.timestamp() * 1000)
    value = bytearray(milliseconds.to_bytes(6, "big") + random[:10])
    value[6] = (value[6] & 0x0F) | 0x70
    value[8] = (value[8] & 0x3F) | 0x80
    text = value.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def moment_of(text: str) -> datetime | None:
    """The moment (ms, UTC) of the time-ordered identifier (`uuid7`) that a text is or ends in, or None."""
    found = _ENDS_IN_UUID7.fullmatch(text)
    if found is None:
        return None
    try:
        return _EPOCH + timedelta(milliseconds=int(found[1] + found[2], 16))
    except OverflowError:
        return None
