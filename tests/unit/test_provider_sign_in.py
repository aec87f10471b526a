"""前往身份提供方、返回: what a browser keeps is checked before a code is looked at, on fakes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from seal_service.domain.errors import IdentityProviderNotSet, Unauthenticated
from seal_service.ports.people import ProviderAnswer, ProviderRequest
from seal_service.testing import ListedIdentities, PlainVault
from seal_service.usecases.go_to_provider import GoToProvider, GoToProviderUseCase
from seal_service.usecases.link_identity import LinkIdentity
from seal_service.usecases.return_from_provider import ReturnFromProvider, ReturnFromProviderUseCase
from seal_service.usecases.sign_in_oidc import SignInByProvider
from seal_service.usecases.signing_in import SignedIn
from tests.people import ADMINISTRATOR, TOKENS, VISITOR, People

BACK = "https://seal.example/pages/sign-in/provider/return"


class AskedIdentities(ListedIdentities):
    """Remembers with what it was asked for a token."""

    def __init__(self) -> None:
        super().__init__(TOKENS)
        self.asked: list[tuple[ProviderAnswer, ProviderRequest]] = []

    def id_token_for(self, answer: ProviderAnswer, request: ProviderRequest, now: object) -> str:
        self.asked.append((answer, request))
        return super().id_token_for(answer, request, now)  # type: ignore[arg-type]


@dataclass
class Way:
    """There and back, for a linked person."""

    people: People = field(default_factory=People)
    provider: AskedIdentities = field(default_factory=AskedIdentities)

    def __post_init__(self) -> None:
        people, vault = self.people, PlainVault()
        people.person()
        people.link(ADMINISTRATOR, LinkIdentity(account_id="zhang", subject="zhang"))
        self.go = GoToProviderUseCase(people.clock, people.entropy, vault, self.provider, BACK)
        self.back = ReturnFromProviderUseCase(
            people.records, people.log, people.clock, vault, self.provider, people.by_provider
        )

    def sent(self) -> tuple[str, str]:
        """What the browser keeps, and the state that it was sent with."""
        found = self.go(VISITOR, GoToProvider())
        return found.kept, parse_qs(urlsplit(found.address).query)["state"][0]

    def returned(self, kept: str | None, state: str | None, code: str | None = "id-token-1") -> SignedIn:
        answer = self.back(VISITOR, ReturnFromProvider(kept=kept, state=state, code=code))
        assert isinstance(answer, SignedIn)
        return answer

    def reasons(self) -> list[object]:
        return [one["reason"] for one in self.people.entries("session.refused")]


def test_who_comes_back_as_sent_is_signed_in_with_the_requests_own_secrets() -> None:
    way = Way()
    kept, state = way.sent()
    assert way.returned(kept, state).session.account_id == "zhang"
    ((answer, request),) = way.provider.asked
    assert (answer.code, request.state, request.redirect_uri) == ("id-token-1", state, BACK)
    assert len({request.state, request.nonce, request.verifier}) == 3
    assert len(request.verifier) == 43, "RFC 7636, 4.1"


@pytest.mark.parametrize("wrong", ["nothing kept", "no state", "another state", "another browser", "changed", "late"])
def test_what_does_not_match_is_refused_before_the_code_is_looked_at(wrong: str) -> None:
    way = Way()
    kept, state = way.sent()
    other, _ = way.sent()
    given: dict[str, tuple[str | None, str | None]] = {
        "nothing kept": (None, state),
        "no state": (kept, None),
        "another state": (kept, state[:-1] + "?"),
        "another browser": (other, state),
        "changed": ("!" + kept[1:], state),
        "late": (kept, state),
    }
    if wrong == "late":
        way.people.clock.forward(timedelta(minutes=10))
    with pytest.raises(Unauthenticated):
        way.returned(*given[wrong])
    assert way.provider.asked == []
    assert way.reasons() == ([] if wrong == "nothing kept" else ["no_such_provider_request"])


@pytest.mark.parametrize(("behind", "taken"), [(60, True), (61, False)])
def test_a_replica_whose_clock_is_a_minute_behind_takes_the_browser_back(behind: int, taken: bool) -> None:
    way = Way()
    kept, state = way.sent()
    way.people.clock.forward(-timedelta(seconds=behind))
    if taken:
        assert way.returned(kept, state).session.account_id == "zhang"
    else:
        with pytest.raises(Unauthenticated):
            way.returned(kept, state)


def test_no_secret_of_the_way_stands_in_what_an_error_or_log_would_show() -> None:
    way = Way()
    sent = way.go(VISITOR, GoToProvider())
    state = parse_qs(urlsplit(sent.address).query)["state"][0]
    back = ReturnFromProvider(kept=sent.kept, state=state, code="id-token-1")
    way.back(VISITOR, back)
    ((answer, request),) = way.provider.asked
    shown = repr([sent, back, answer, request, SignInByProvider(id_token="id-token-1", nonce=request.nonce)])
    for secret in (sent.kept, "id-token-1", request.verifier, request.nonce):
        assert secret not in shown


def test_a_code_that_is_missing_unknown_or_used_opens_nothing() -> None:
    way = Way()
    for code in (None, "", "unknown", "id-token-1"):
        kept, state = way.sent()
        if code == "id-token-1":
            way.returned(kept, state, code)
            kept, state = way.sent()
        with pytest.raises(Unauthenticated):
            way.returned(kept, state, code)
    expected = ["refused_by_provider", "refused_by_provider", "code_refused", "id_token_used_before"]
    assert way.reasons() == expected


def test_without_a_provider_or_a_way_back_nobody_is_sent() -> None:
    way = Way()
    for provider, back in ((None, BACK), (way.provider, None)):
        go = GoToProviderUseCase(way.people.clock, way.people.entropy, PlainVault(), provider, back)
        with pytest.raises(IdentityProviderNotSet):
            go(VISITOR, GoToProvider())
