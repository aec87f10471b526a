"""密码设备会话: this process's one session on a token of an HSM (PKCS#11 2.40), behind one lock."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import TypeVar

import pkcs11
from pkcs11 import exceptions as refused

from seal_service.domain.errors import KeyStoreUnavailable
from seal_service.pki.secret_files import load_secret

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
_PIN_REFUSED = (
    refused.PinIncorrect,
    refused.PinInvalid,
    refused.PinLenRange,
    refused.PinExpired,
    refused.PinLocked,
    refused.UserPinNotInitialized,
)


class _Module:
    """A loaded PKCS#11 module. C_Initialize, login and the module's state concern the whole process, so there is one
    of these a file, whoever uses it, with one lock: python-pkcs11 initialises modules without locking of their own,
    and sessions used in several threads at once have aborted the process.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._library = pkcs11.lib(str(path))
        except refused.PKCS11Error as error:
            raise KeyStoreUnavailable(
                f"The PKCS#11 module {path} cannot be used ({_said(error)}): see SEAL_PKCS11_MODULE"
            ) from error
        self.lock = Lock()
        self.process = os.getpid()
        self.sessions: dict[str, pkcs11.Session] = {}
        self.stale = False
        """Whether it has to begin anew before it is used again."""

    def token(self, label: str) -> pkcs11.Token:
        """The token of a label."""
        return self._library.get_token(token_label=label)

    def renew(self) -> None:
        """Begin anew, whatever became of the module: every session and handle of this process is gone."""
        self.sessions.clear()
        with suppress(refused.PKCS11Error):  # somebody else may have finalised it: initialising will tell
            self._library.finalize()
        self._library.initialize()
        self.stale = False


_MODULES: dict[Path, _Module] = {}
_LOADING = Lock()


class Pkcs11Token:
    """A token by its label. Safe for threads; opened at its first use, and once more when its session went away.

    A PIN that was refused is not tried again by this process: tokens lock themselves after a few wrong ones. A process
    that was forked off after the module was loaded is refused, because the module's state is its parent's.
    """

    def __init__(self, module: Path, label: str, pin: Callable[[], str]) -> None:
        self.label = label
        self._path = module
        self._pin = pin
        self._pin_refused: str | None = None

    def run(self, act: Callable[[pkcs11.Session], Answer], *, repeatable: bool = True) -> Answer:
        """Do something with the session, alone. When the session or the device went away it is done again, once.

        `repeatable` says whether it may also be done again when the device failed in its middle. NoSuchKey, raised by
        the act, comes through after it was raised by a new session too: a session that lost its login sees no keys.
        Raises KeyStoreUnavailable, InstanceNotReady for a PIN file that cannot be used.
        """
        module = self._module()
        if not module.lock.acquire(timeout=_WAIT_SECONDS):
            raise KeyStoreUnavailable(f"The token {self.label} has been busy for {_WAIT_SECONDS:.0f} s: check the HSM")
        try:
            try:
                return act(self._session(module))
            except refused.PKCS11Error as error:
                module.stale |= _is_lost(error)
                if not _may_repeat(error, repeatable):
                    raise self._unavailable(error) from error
            try:
                return act(self._session(module))
            except refused.NoSuchKey:
                raise
            except refused.PKCS11Error as error:
                module.stale |= _is_lost(error)
                raise self._unavailable(error) from error
        finally:
            module.lock.release()

    def _module(self) -> _Module:
        path = self._path.resolve()
        module = _MODULES.get(path)
        if module is None:
            with _LOADING:
                module = _MODULES.get(path) or _Module(path)
                _MODULES[path] = module
        if module.process != os.getpid():
            raise KeyStoreUnavailable("This process was forked off one that uses the HSM: start it as its own process")
        return module

    def _session(self, module: _Module) -> pkcs11.Session:
        if module.stale:
            module.renew()
        session = module.sessions.get(self.label)
        if session is None:
            session = module.sessions[self.label] = self._open(module)
        return session

    def _open(self, module: _Module) -> pkcs11.Session:
        if self._pin_refused is not None:
            raise KeyStoreUnavailable(self._pin_refused)
        token = self._token(module)
        try:
            return token.open(rw=True, user_pin=self._pin())
        except refused.UserAlreadyLoggedIn:  # the whole process is logged in at once
            return token.open(rw=True)
        except _PIN_REFUSED as error:
            self._pin_refused = (
                f"The token {self.label} refuses the PIN ({_said(error)}) and is not asked again: "
                "correct SEAL_PKCS11_PIN or SEAL_PKCS11_PIN_FILE, then restart"
            )
            raise KeyStoreUnavailable(self._pin_refused) from None

    def _token(self, module: _Module) -> pkcs11.Token:
        try:
            try:
                return module.token(self.label)
            except refused.NoSuchToken:
                module.renew()  # modules learn of new tokens when they are initialised
                return module.token(self.label)
        except refused.NoSuchToken:
            raise KeyStoreUnavailable(
                f"The module {self._path} shows no token {self.label}: is the HSM connected, "
                "and SEAL_PKCS11_TOKEN its label?"
            ) from None
        except refused.MultipleTokensReturned:
            raise KeyStoreUnavailable(f"Several tokens are called {self.label}: give each its own label") from None

    def _unavailable(self, error: refused.PKCS11Error) -> KeyStoreUnavailable:
        if isinstance(error, refused.MechanismInvalid | refused.KeySizeRange):
            return KeyStoreUnavailable(
                f"The token {self.label} cannot do what this suite needs ({_said(error)}): choose another suite"
            )
        return KeyStoreUnavailable(f"The token {self.label} does not answer ({_said(error)}): check the HSM")


def load_pin(path: Path) -> str:
    """The PIN from its file's one line; InstanceNotReady when it is missing, empty or not its owner's alone."""
    return load_secret(path, "PIN")


def _is_lost(error: refused.PKCS11Error) -> bool:
    # "Not initialised" has no class of its own in python-pkcs11.
    return isinstance(error, (*_NOTHING_DONE, *_DEVICE_FAILED)) or type(error) is refused.PKCS11Error


def _may_repeat(error: refused.PKCS11Error, repeatable: bool) -> bool:
    return _is_lost(error) and (repeatable or not isinstance(error, _DEVICE_FAILED))


def _said(error: refused.PKCS11Error) -> str:
    return type(error).__name__ if type(error) is not refused.PKCS11Error else str(error)
