"""How the command line says no: one clear sentence on standard error, what to do next, and an exit code."""

from __future__ import annotations

import logging
import os
import sys

import typer
from typer.core import TyperGroup

from seal_service.domain import errors

_log = logging.getLogger(__name__)

NEGATIVE_ANSWER = 1
INPUT_ERROR = 2

_WHAT_WAS_GIVEN = (
    errors.InvalidInput,
    errors.Unauthenticated,
    errors.NotFound,
    errors.DocumentRefused,
    errors.InstanceNotReady,
)
"""Errors of what was given, not answers to it."""

_NEXT: tuple[tuple[type[errors.SealServiceError], str], ...] = (
    (errors.Unauthenticated, "Log in with `seal login`, or set SEAL_CLIENT_ID and SEAL_CLIENT_SECRET."),
    (errors.InstanceNotReady, "`seal init` makes an instance in SEAL_HOME; `seal doctor` says what is missing."),
    (errors.AuthorizationDenied, "`seal seals show` and `seal grants list` tell what stands now."),
    (
        errors.SecondPersonNeeded,
        "A security administrator who did not ask for it confirms: `seal control confirm ID`.",
    ),
    (errors.ControlledRequestNotFound, "`seal control list` shows the requests."),
    (errors.SelfDecisionRefused, "Let another account of the making office decide."),
    (errors.PasswordChangeRequired, "Change it with `seal password change`."),
    (errors.SecondFactorRequired, "`seal factor enrol-ukey` enrols a UKey, `seal factor enrol-totp` a one-time code."),
    (errors.ActivationSecretWrong, "After a few wrong ones each waits longer than the one before."),
    (errors.HandleRefused, "Give it with --handle; a new one comes of `seal conveyances give` by the seal's unit."),
    (errors.PermissionDenied, "Log in with an account whose role allows it."),
    (errors.UnitNotFound, "`seal units list` shows the units."),
    (errors.ApplicationNotFound, "`seal applications list` shows the applications."),
    (errors.SealNotFound, "`seal seals list` shows the seals that this account sees."),
    (errors.CertificateRequestNotFound, "`seal certificates list` shows the requests."),
    (errors.CertificatePending, "`seal certificates fetch` or `submit` goes on with it."),
    (errors.AuthorityUnavailable, "The request is kept: `seal certificates fetch` tries again."),
    (errors.SecondFactorNotFound, "`seal factor list` shows those of the person who is signed in."),
    (errors.SessionNotFound, "Sign in as a person: `seal login --account ACCOUNT`."),
    (errors.SealNotActivated, "Its keeper activates it: `seal custody activate CODE`; `seal custody show` says more."),
    (errors.KeyProcessUnavailable, "`seal serve` runs it: start that, then try again."),
    (errors.MediumNotInHand, "`seal media history CODE` tells where it is; `seal media hand-over` gives it out."),
    (errors.ConveyanceNotFound, "`seal conveyances list --seal CODE` shows them."),
    (errors.PreparedUseNotFound, "Only the system that prepared it sees it: `seal uses list --seal CODE`."),
    (errors.PreparedUseCompleted, "`seal uses list --seal CODE` shows it."),
    (errors.GrantNotFound, "`seal grants list` shows the grants that this account sees."),
    (errors.UseNotFound, "`seal uses list --seal CODE` shows the uses that this account sees."),
    (errors.KeyNotFound, "`seal keys list` shows the keys."),
    (errors.TrustAnchorNotFound, "`seal trust list` shows what is trusted."),
    (errors.IdempotencyKeyReused, "Take a new --key for a new request."),
    (errors.UseInProgress, "Ask again shortly with the same --key."),
    (errors.UseOvertaken, "Nothing was released; ask again with a new --key."),
    (errors.LevelUnreachable, "Ask for a lower --level, or allow it with --allow-lower-level."),
    (errors.IntegrityFailed, "Change nothing more; keep the instance's files and tell the operator."),
    (errors.ProgramMissing, ""),
    (errors.Unavailable, "Try again; `seal doctor` says what does not answer."),
)


def exit_code(error: Exception) -> int:
    """2 when what was given is wrong or cannot be read; 1 when it was understood and the answer is no."""
    return INPUT_ERROR if isinstance(error, (*_WHAT_WAS_GIVEN, OSError)) else NEGATIVE_ANSWER


def sentence(error: Exception) -> str:
    """What is wrong and, where there is something to do, what to do next."""
    if isinstance(error, OSError):
        where = f"{error.filename}: " if isinstance(error.filename, str) else ""
        return f"{where}{error.strerror or error}."
    if not isinstance(error, errors.SealServiceError):
        return f"This should not have happened ({type(error).__name__}). SEAL_LOG_LEVEL=DEBUG shows where."
    field = error.details.get("field")
    named = f"{error.message} ({field})" if isinstance(field, str) and field not in error.message else error.message
    told = named if named.endswith((".", "。")) else f"{named}."
    if error.details.get("retry_at"):
        told += f" Nothing is tried before {error.details['retry_at']}."
    if "attempts_left" in error.details:
        told += f" Attempts left: {error.details['attempts_left']}."
    following = next((text for kind, text in _NEXT if isinstance(error, kind)), None)
    return told if following is None or following in told else f"{told} {following}"


class Door(TyperGroup):
    """The outermost group: every error of the service ends here as a sentence, never as a traceback."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Refuse (exit code 2) what is no Unicode text: Python hands such bytes on as unpaired surrogates."""
        for number, one in enumerate(args, 1):
            if not one.isascii() and one != one.encode(errors="replace").decode():
                tell(errors.InvalidInput(f"Argument {number} is no text in UTF-8; rename a file that has such a name"))
                raise typer.Exit(INPUT_ERROR)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]
        """Run the command; Exit with 1 or 2 when it fails."""
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort, typer.TyperException, BrokenPipeError):
            raise
        except Exception as error:
            tell(error)
            raise typer.Exit(exit_code(error)) from error


def tell(error: Exception, about: str = "") -> None:
    """Print the sentence on standard error, with what it is about."""
    if not isinstance(error, (errors.SealServiceError, OSError)) and _debugging():
        _log.error("the command failed", exc_info=error)  # by the log, which leaves secrets out
    told = sentence(error)
    print(f"seal: {told if about in told else f'{about}: {told}'}", file=sys.stderr)


def _debugging() -> bool:
    return os.environ.get("SEAL_LOG_LEVEL", "").upper() == "DEBUG"
