"""A person's UKey at the command line: by its vendor's PKCS#11 module, or by hand with its vendor's tool."""

from __future__ import annotations

import base64
import binascii
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from seal_service.cli.asking import UKEY_PIN, asked
from seal_service.domain.errors import InvalidInput

Module = Annotated[
    Path | None,
    typer.Option("--ukey-module", metavar="FILE", help="PKCS#11 module (.so) of the UKey's vendor."),
]
Token = Annotated[str | None, typer.Option("--ukey-token", metavar="LABEL", help="Label of the UKey.")]
KeyLabel = Annotated[
    str | None,
    typer.Option("--ukey-key", metavar="LABEL", help="Label of its private key; default: the one that signs."),
]


@dataclass(frozen=True, slots=True)
class UKey:
    """智能密码钥匙 as named by options."""

    module: Path
    token: str
    key: str | None


def named(module: Path | None, token: str | None, key: str | None) -> UKey | None:
    """The UKey that options name, None without any; InvalidInput for a part of them."""
    if module is None and token is None and key is None:
        return None
    if module is None or token is None:
        raise InvalidInput("A UKey is named by --ukey-module and --ukey-token together")
    return UKey(module, token, key)


def signature(of: UKey | None, message: bytes) -> bytes:
    """The signature over a message, by the UKey, or without one as it is typed; InvalidInput.

    The PIN is read from SEAL_UKEY_PIN, asked for, or read as a line of standard input.
    """
    if of is not None:
        from seal_service import bootstrap

        return bootstrap.sign_by_ukey(of.module, of.token, of.key, asked("UKey PIN", UKEY_PIN), message)
    print(f"to sign (base64): {base64.b64encode(message).decode()}", file=sys.stderr, flush=True)
    try:
        return base64.b64decode(asked("signature (base64)", hidden=False), validate=True)
    except binascii.Error:
        raise InvalidInput("The signature is not base64", field="signature") from None
