"""密码设备会话: sessions of this process on a token of an HSM, by the token's label."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import pkcs11
from pkcs11 import exceptions as refused

from seal_service.domain.errors import KeyStoreUnavailable, TokenPinLocked, TokenPinRefused
from seal_service.pki.pkcs11_module import Module, loaded, said
from seal_service.pki.secret_files import load_secret

Answer = TypeVar("Answer")

_PIN_WRONG = (refused.PinIncorrect, refused.PinInvalid, refused.PinLenRange)
_PIN_REFUSED = (*_PIN_WRONG, refused.PinExpired, refused.PinLocked, refused.UserPinNotInitialized)


class Pkcs11Token:
    """A token by its label. Safe for threads; opened at its first use, and once more when its session went away.

    A PIN that was refused is not tried again by this process: tokens lock themselves after a few wrong ones. A process
    that was forked off after the module was loaded is refused, because the module's state is its parent's.
    """

    label_setting, pin_setting = "SEAL_PKCS11_TOKEN", "SEAL_PKCS11_PIN or SEAL_PKCS11_PIN_FILE"

    def __init__(self, module: Path, label: str, pin: Callable[[], str]) -> None:
        self.label = label
        self._path = module
        self._pin = pin
        self._pin_refused: KeyStoreUnavailable | None = None

    @property
    def is_refused(self) -> bool:
        """Whether the token has refused the PIN, so that it is not asked again."""
        return self._pin_refused is not None

    def run(self, act: Callable[[pkcs11.Session], Answer], *, repeatable: bool = True) -> Answer:
        """Do something with the session, alone. When the session or the device went away it is done again, once.

        `repeatable` says whether it may also be done again when the device failed in its middle. NoSuchKey, raised by
        the act, comes through after it was raised by a new session too: a session that lost its login sees no keys.
        Raises KeyStoreUnavailable, of it TokenPinRefused and TokenPinLocked; InstanceNotReady for a PIN file that
        cannot be used.
        """
        module = loaded(self._path)
        return module.alone(self.label, lambda: self._do(module, act), repeatable=repeatable)

    def _do(self, module: Module, act: Callable[[pkcs11.Session], Answer]) -> Answer:
        return act(self._session(module))

    def _session(self, module: Module) -> pkcs11.Session:
        session = module.sessions.get(self.label)
        if session is None:
            session = module.sessions[self.label] = self._open(module)
        return session

    def _open(self, module: Module) -> pkcs11.Session:
        if self._pin_refused is not None:
            raise type(self._pin_refused)(self._pin_refused.message)
        token = self._token(module)
        try:
            try:
                return token.open(rw=True, user_pin=self._pin())
            except refused.UserAlreadyLoggedIn:
                return self._open_beside(module)
        except _PIN_REFUSED as error:
            self._pin_refused = self._refusal(error)
            raise self._pin_refused from None

    def _open_beside(self, module: Module) -> pkcs11.Session:
        return self._token(module).open(rw=True)  # the whole process is logged in at once

    def _refusal(self, error: refused.PKCS11Error) -> KeyStoreUnavailable:
        if isinstance(error, refused.PinLocked):
            return TokenPinLocked(
                f"The token {self.label} has locked its PIN after too many wrong ones: its security officer has to "
                "set it anew"
            )
        kind = TokenPinRefused if isinstance(error, _PIN_WRONG) else KeyStoreUnavailable
        return kind(
            f"The token {self.label} refuses the PIN ({said(error)}) and is not asked again: "
            f"correct {self.pin_setting}, then restart"
        )

    def _token(self, module: Module) -> pkcs11.Token:
        try:
            try:
                return module.token(self.label)
            except refused.NoSuchToken:
                module.renew()  # modules learn of new tokens when they are initialised
                return module.token(self.label)
        except refused.NoSuchToken:
            raise KeyStoreUnavailable(
                f"The module {self._path} shows no token {self.label}: is the HSM connected, "
                f"and {self.label_setting} right?"
            ) from None
        except refused.MultipleTokensReturned:
            raise KeyStoreUnavailable(f"Several tokens are called {self.label}: give each its own label") from None


class _AloneLoggedIn(Pkcs11Token):
    """A token to which this process is logged in by its PIN, proven to the token at every login, or not at all."""

    label_setting, pin_setting = "SEAL_PKCS11_SEAL_TOKENS", "SEAL_PKCS11_SEAL_PIN_FILE"

    def _open_beside(self, module: Module) -> pkcs11.Session:
        module.renew()  # the login that is there proves nothing of this PIN: it ends
        return self._token(module).open(rw=True, user_pin=self._pin())


class BriefToken(_AloneLoggedIn):
    """A token with a session of its own for each act, after which nobody is logged in."""

    def _do(self, module: Module, act: Callable[[pkcs11.Session], Answer]) -> Answer:
        session = self._open(module)
        try:
            return act(session)
        finally:
            close_session(session)


class KeeperToken(_AloneLoggedIn):
    """A token whose PIN its keeper gave for a while: logged in from `log_in` until `log_out`, and then never again."""

    def __init__(self, module: Path, label: str, pin: Callable[[], str]) -> None:
        super().__init__(module, label, pin)
        self._ended = False
        self._own: pkcs11.Session | None = None
        """The newest of this login: when it ended, another may be there already."""

    def log_in(self) -> None:
        """Have the token itself judge the PIN, whoever is logged in to it here; raises as `run` does.

        The module begins anew for it, since some know by nothing else of PINs that another process has set. Who is
        logged in to other tokens here logs in again by the PIN that is held.
        """
        module = loaded(self._path)

        def step() -> None:
            module.renew()
            self._session(module)

        module.alone(self.label, step)

    def end(self) -> bool:
        """Nothing begins with this any more; whether there may be something to log out of. The device is not asked."""
        self._ended = True
        return self._own is not None

    def log_out(self) -> None:
        """For good. KeyStoreUnavailable when the device is busy; even then nothing begins with this any more."""
        self._ended = True
        module = loaded(self._path)
        module.alone(self.label, lambda: self._log_out(module))

    def _log_out(self, module: Module) -> None:
        if self._own is not None and module.sessions.get(self.label) is self._own:
            close_session(module.sessions.pop(self.label))
        self._own = None

    def _session(self, module: Module) -> pkcs11.Session:
        if self._ended:
            raise KeyStoreUnavailable(f"The token {self.label} was logged out")
        self._own = super()._session(module)
        return self._own


def close_session(session: pkcs11.Session) -> None:
    """End a session, and with it a login by it."""
    with suppress(refused.PKCS11Error):  # it is gone
        session.close()


def load_pin(path: Path) -> str:
    """The PIN from its file's one line; InstanceNotReady when it is missing, empty or not its owner's alone."""
    return load_secret(path, "PIN")
