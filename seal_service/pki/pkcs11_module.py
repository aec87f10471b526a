"""密码设备模块: a loaded PKCS#11 module (2.40) of this process, with all the tokens that it shows, behind one lock."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import TypeVar

import pkcs11
from pkcs11 import exceptions as refused

from seal_service.domain.errors import KeyStoreUnavailable

Answer = TypeVar("Answer")

_WAIT_SECONDS = 30.0
_NOTHING_DONE = (refused.SessionHandleInvalid, refused.SessionClosed, refused.UserNotLoggedIn, refused.NoSuchKey)
"""The token did nothing yet: asked again over a new session, an act happens once."""
_DEVICE_FAILED = (
    refused.DeviceError,
    refused.DeviceRemoved,
    refused.FunctionFailed,
    refused.GeneralError,
    refused.TokenNotPresent,
    refused.TokenNotRecognised,
)
"""The token failed in the middle: what only reads or signs is asked again."""


class Module:
    """A loaded PKCS#11 module. C_Initialize, login and the module's state concern the whole process, so there is one
    of these a file, whoever uses it, with one lock: python-pkcs11 initialises modules without locking of their own,
    and sessions used in several threads at once have aborted the process.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._library = pkcs11.lib(str(path))
        except refused.PKCS11Error as error:
            raise KeyStoreUnavailable(
                f"The PKCS#11 module {path} cannot be used ({said(error)}): see SEAL_PKCS11_MODULE"
            ) from error
        self._lock = Lock()
        self._stale = False
        """Whether it has to begin anew before it is used again."""
        self.process = os.getpid()
        self.sessions: dict[str, pkcs11.Session] = {}
        """Those that are kept, by their token's label."""

    def alone(self, name: str, step: Callable[[], Answer], *, repeatable: bool = True) -> Answer:
        """Do something with a token, alone. When a session or the device went away it is done again, once.

        `repeatable` says whether it may also be done again when the device failed in its middle. NoSuchKey, raised by
        the step, comes through after it was raised again with new sessions. Raises KeyStoreUnavailable.
        """
        if not self._lock.acquire(timeout=_WAIT_SECONDS):
            raise KeyStoreUnavailable(f"The token {name} has been busy for {_WAIT_SECONDS:.0f} s: check the HSM")
        try:
            try:
                return self._ready(step)
            except refused.PKCS11Error as error:
                self._stale |= _is_lost(error)
                if not _may_repeat(error, repeatable):
                    raise _unavailable(name, error) from error
            try:
                return self._ready(step)
            except refused.NoSuchKey:
                raise
            except refused.PKCS11Error as error:
                self._stale |= _is_lost(error)
                raise _unavailable(name, error) from error
        finally:
            self._lock.release()

    def token(self, label: str) -> pkcs11.Token:
        """The token of a label; for a step."""
        return self._library.get_token(token_label=label)

    def tokens(self) -> Sequence[pkcs11.Token]:
        """All that it knows; for a step."""
        return list(self._library.get_tokens())

    def renew(self) -> None:
        """Begin anew, whatever became of the module: every session and handle of this process is gone; for a step."""
        self.sessions.clear()
        with suppress(refused.PKCS11Error):  # somebody else may have finalised it: initialising will tell
            self._library.finalize()
        self._library.initialize()
        self._stale = False

    def _ready(self, step: Callable[[], Answer]) -> Answer:
        if self._stale:
            self.renew()
        return step()


_MODULES: dict[Path, Module] = {}
_LOADING = Lock()


def loaded(path: Path) -> Module:
    """The module of a file, loaded at its first use. KeyStoreUnavailable, also in a process that was forked off after
    that: the module's state is its parent's.
    """
    path = path.resolve()
    module = _MODULES.get(path)
    if module is None:
        with _LOADING:
            module = _MODULES.get(path) or Module(path)
            _MODULES[path] = module
    if module.process != os.getpid():
        raise KeyStoreUnavailable("This process was forked off one that uses the HSM: start it as its own process")
    return module


def said(error: refused.PKCS11Error) -> str:
    """What an error of the module says; nothing that was given to it."""
    return type(error).__name__ if type(error) is not refused.PKCS11Error else str(error)


def _unavailable(name: str, error: refused.PKCS11Error) -> KeyStoreUnavailable:
    if isinstance(error, refused.MechanismInvalid | refused.KeySizeRange):
        return KeyStoreUnavailable(
            f"The token {name} cannot do what this suite needs ({said(error)}): choose another suite"
        )
    return KeyStoreUnavailable(f"The token {name} does not answer ({said(error)}): check the HSM")


def _is_lost(error: refused.PKCS11Error) -> bool:
    # "Not initialised" has no class of its own in python-pkcs11.
    return isinstance(error, (*_NOTHING_DONE, *_DEVICE_FAILED)) or type(error) is refused.PKCS11Error


def _may_repeat(error: refused.PKCS11Error, repeatable: bool) -> bool:
    return _is_lost(error) and (repeatable or not isinstance(error, _DEVICE_FAILED))
