"""How the command line says no."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from seal_service.cli.failures import exit_code, sentence
from seal_service.domain import errors


def _all(kind: type[errors.SealServiceError]) -> Iterator[errors.SealServiceError]:
    if kind is errors.AuthorizationDenied:
        yield errors.AuthorizationDenied([("seal_suspended", "the seal is suspended")])
    elif kind is errors.TransitionRefused:
        yield errors.TransitionRefused("cancelled", "resume", [])
    elif kind is errors.RenewalNotPossible:
        yield errors.RenewalNotPossible(datetime(2029, 1, 1, tzinfo=UTC), datetime(2029, 4, 1, tzinfo=UTC))
    else:
        yield kind()
    for one in kind.__subclasses__():
        yield from _all(one)


@pytest.mark.parametrize("error", list(_all(errors.SealServiceError)), ids=lambda error: type(error).__name__)
def test_every_error_is_one_sentence_or_two_on_one_line(error: errors.SealServiceError) -> None:
    told = sentence(error)
    assert told.startswith(error.message)
    assert told.endswith(".")
    assert "\n" not in told
    assert exit_code(error) in (1, 2)


def test_what_was_given_wrong_is_two_and_an_answer_of_no_is_one() -> None:
    for given_wrong in (
        errors.InvalidCreditCode(),
        errors.Unauthenticated(),
        errors.SealNotFound(),
        OSError(2, "gone"),
    ):
        assert exit_code(given_wrong) == 2
    for answer in (errors.PermissionDenied(), errors.AlreadyDecided(), errors.SelfCheckFailed(), RuntimeError("?")):
        assert exit_code(answer) == 1


def test_an_error_that_nobody_foresaw_tells_nothing_of_its_text() -> None:
    assert "secret" not in sentence(RuntimeError("secret"))
