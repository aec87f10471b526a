"""运行方式: how an instance is run, as far as rules depend on it."""

from __future__ import annotations

from enum import StrEnum


class Profile(StrEnum):
    """运行环境: what an instance is for."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class DocumentKeeping(StrEnum):
    """盖章文件保存: whether sealed documents are kept; always encrypted."""

    HELD = "held"
    """Until the caller acknowledges it, for a set time at most, so that no result is lost with a connection."""
    KEPT = "kept"
    """For good."""
    NONE = "none"
    """Not at all: the answer is the only copy."""


class KeyPlace(StrEnum):
    """密钥存放: where a private key is."""

    FILE = "file"
    """In a file, encrypted under the master key: a software key."""
    PKCS11 = "pkcs11"
    """In an HSM, from which it cannot be read."""


class UseStep(StrEnum):
    """用印步骤 whose time is measured."""

    AUTHORIZE = "authorize"
    RESERVE = "reserve"
    SEAL = "seal"
    CHECK = "check"
    KEEP = "keep"
    COMPLETE = "complete"
