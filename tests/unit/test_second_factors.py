"""第二因素 on fakes (等保三级 8.1.4.1 d): codes, certificates, UKeys and the identity provider."""

from __future__ import annotations

import hmac
from dataclasses import replace
from datetime import timedelta

import pytest

from seal_service.domain import errors as e
from seal_service.domain.access import Caller, MustFirst, Permission, Role, require
from seal_service.domain.second_factor import FactorKind, FactorPolicy
from seal_service.usecases.link_identity import LinkIdentity, UnlinkIdentity
from seal_service.usecases.pass_second_factor import PassSecondFactor
from seal_service.usecases.reset_password import ResetPassword
from seal_service.usecases.second_factors import ConfirmFactor, EnrolFactor, Enrolment, ListFactors, RemoveFactor
from seal_service.usecases.sign_in_oidc import SignInByProvider
from seal_service.usecases.signing_in import Challenged, SignedIn
from tests.people import ADMINISTRATOR, VISITOR, People

STEP, MINUTE = timedelta(seconds=30), timedelta(minutes=1)
CERTIFICATE = b"certificate of a UKey"


@pytest.fixture
def people() -> People:
    """Where a second factor is asked for, of any kind."""
    made = People(policy=FactorPolicy.ANY)
    made.person()
    return made


def signed(certificate: bytes, message: bytes | None) -> bytes:
    """As the fake's UKey signs."""
    assert message is not None
    return hmac.digest(certificate, message, "sha256")


def enrolled_ukey(people: People, caller: Caller, certificate: bytes = CERTIFICATE) -> Enrolment:
    made = people.enrol(caller, EnrolFactor(kind=FactorKind.UKEY, certificate=certificate))
    people.confirm(caller, ConfirmFactor(factor_id=made.factor.id, signature=signed(certificate, made.to_sign)))
    return made


def refused(people: People, command: PassSecondFactor) -> str:
    """The reason that the log has for what everybody hears the same of."""
    with pytest.raises(e.Unauthenticated):
        people.second(VISITOR, command)
    return str(people.entries("session.refused")[-1]["reason"])


def test_until_a_second_factor_is_enrolled_a_session_may_do_nothing_else(people: People) -> None:
    signed_in = people.signed_in()
    caller = people.caller(signed_in)
    assert caller.must_first is MustFirst.ENROL_FACTOR
    with pytest.raises(e.SecondFactorRequired):
        require(caller, Permission.READ_SEALS)
    made = people.enrol(caller, EnrolFactor(kind=FactorKind.TOTP))
    assert people.caller(signed_in).must_first is MustFirst.ENROL_FACTOR, "it is not proven yet"
    people.confirm(caller, ConfirmFactor(factor_id=made.factor.id, code=people.code()))
    assert people.caller(signed_in).must_first is None
    assert people.entries("factor.enrolled")[-1]["factor_kind"] == "totp"


def test_a_code_is_taken_once_also_that_of_the_enrolment(people: People) -> None:
    caller = people.caller(people.signed_in())
    made = people.enrol(caller, EnrolFactor(kind=FactorKind.TOTP))
    people.confirm(caller, ConfirmFactor(factor_id=made.factor.id, code=people.code()))
    challenge = people.challenged()
    assert challenge.kinds == (FactorKind.TOTP,)
    assert refused(people, PassSecondFactor(challenge=challenge.challenge, code=people.code())) == "code_used_before"
    people.clock.forward(STEP)
    people.pass_code(challenge.challenge)
    second = people.challenged()
    assert refused(people, PassSecondFactor(challenge=second.challenge, code=people.code())) == "code_used_before"
    people.pass_code(second.challenge, people.code(1))
    third = people.challenged()
    for steps in (-1, 0, 1):
        reason = refused(people, PassSecondFactor(challenge=third.challenge, code=people.code(steps)))
        assert reason == "code_used_before", "none before the last one is taken any more"


def test_a_challenge_takes_five_tries_and_waits_five_minutes(people: People) -> None:
    people.with_totp()
    challenge = people.challenged()
    reasons = [refused(people, PassSecondFactor(challenge=challenge.challenge, code="000000")) for _ in range(5)]
    assert reasons == ["wrong_second_factor"] * 5
    people.clock.forward(MINUTE)
    assert refused(people, PassSecondFactor(challenge=challenge.challenge, code=people.code())) == "no_such_challenge"
    waiting = people.challenged()
    people.clock.forward(5 * MINUTE)
    assert refused(people, PassSecondFactor(challenge=waiting.challenge, code=people.code())) == "no_such_challenge"
    assert refused(people, PassSecondFactor(challenge="sc_made-up", code=people.code())) == "no_such_challenge"


def test_wrong_codes_lock_the_account_and_a_right_password_does_not_take_them_back(people: People) -> None:
    people.with_totp()
    for _ in range(5):
        with pytest.raises(e.Unauthenticated):
            people.pass_code(people.challenged().challenge, "000000")
    with pytest.raises(e.Unauthenticated):
        people.sign_in()
    assert people.entries("session.refused")[-1]["reason"] == "locked"
    people.clock.forward(MINUTE)
    challenge = people.challenged()
    with pytest.raises(e.Unauthenticated):
        people.pass_code(challenge.challenge, "000000")
    assert people.entries("session.refused")[-1]["failures"] == 6
    assert refused(people, PassSecondFactor(challenge=challenge.challenge, code=people.code())) == "locked"


def test_a_challenge_opens_one_session(people: People) -> None:
    people.with_totp()
    challenge = people.challenged()
    people.pass_code(challenge.challenge)
    people.clock.forward(MINUTE)
    assert refused(people, PassSecondFactor(challenge=challenge.challenge, code=people.code())) == "no_such_challenge"


def test_a_ukey_signs_the_challenge_of_this_sign_in_and_of_no_other(people: People) -> None:
    enrolled_ukey(people, people.caller(people.signed_in()))
    first, second = people.challenged(), people.challenged()
    assert first.kinds == (FactorKind.UKEY,)
    wrong = signed(CERTIFICATE, first.to_sign)
    assert refused(people, PassSecondFactor(challenge=second.challenge, signature=wrong)) == "wrong_second_factor"
    command = PassSecondFactor(challenge=second.challenge, signature=signed(CERTIFICATE, second.to_sign))
    answer = people.second(VISITOR, command)
    assert answer.session.factor is FactorKind.UKEY
    assert people.caller(answer).must_first is None
    assert first.to_sign.startswith(b"seal-service sign-in\nhttps://seal.example\nzhang\n")


def test_a_ukey_is_enrolled_with_its_signature_alone(people: People) -> None:
    caller = people.caller(people.signed_in())
    made = people.enrol(caller, EnrolFactor(kind=FactorKind.UKEY, certificate=CERTIFICATE))
    for wrong in (None, b"", signed(b"another one", made.to_sign)):
        with pytest.raises(e.FactorProofRefused):
            people.confirm(caller, ConfirmFactor(factor_id=made.factor.id, signature=wrong))
    people.clock.forward(10 * MINUTE)
    with pytest.raises(e.FactorProofRefused, match="too long"):
        people.confirm(caller, ConfirmFactor(factor_id=made.factor.id, signature=signed(CERTIFICATE, made.to_sign)))
    enrolled_ukey(people, caller)
    with pytest.raises(e.InvalidInput, match="No certificate"):
        people.enrol(caller, EnrolFactor(kind=FactorKind.UKEY))


def test_a_revoked_certificate_opens_nothing(people: People) -> None:
    enrolled_ukey(people, people.caller(people.signed_in()))
    challenge = people.challenged()
    people.certificates.revoked.add(CERTIFICATE)
    command = PassSecondFactor(challenge=challenge.challenge, signature=signed(CERTIFICATE, challenge.to_sign))
    assert refused(people, command) == "wrong_second_factor"


def test_a_client_certificate_is_the_enrolled_one(people: People) -> None:
    caller = people.caller(people.signed_in())
    with pytest.raises(e.InvalidInput):
        people.enrol(caller, EnrolFactor(kind=FactorKind.CERTIFICATE, certificate=CERTIFICATE))
    people.enrol(caller, EnrolFactor(kind=FactorKind.CERTIFICATE, presented_certificate=CERTIFICATE))
    challenge = people.challenged()
    for presented in (b"another one", CERTIFICATE):
        command = PassSecondFactor(challenge=challenge.challenge, presented_certificate=presented)
        if presented == CERTIFICATE:
            assert people.second(VISITOR, command).session.factor is FactorKind.CERTIFICATE
        else:
            assert refused(people, command) == "wrong_second_factor"
    with pytest.raises(e.InvalidInput):
        people.second(VISITOR, PassSecondFactor(challenge=challenge.challenge))


def test_a_certificate_is_one_persons(people: People) -> None:
    enrolled_ukey(people, people.caller(people.signed_in()))
    people.person("li")
    li = people.caller(people.signed_in("li"))
    with pytest.raises(e.AlreadyRegistered):
        people.enrol(li, EnrolFactor(kind=FactorKind.UKEY, certificate=CERTIFICATE))
    people.reset(ADMINISTRATOR, ResetPassword(account_id="zhang", remove_second_factors=True))
    assert people.entries("factor.removed")[-1]["factor_kind"] == "ukey"
    enrolled_ukey(people, li)


def test_where_certificates_are_asked_for_a_code_does_not_count() -> None:
    """Someone whose factor counts no longer still proves it, and then may only enrol one that does."""
    people = People(policy=FactorPolicy.TOTP)
    people.person()
    people.with_totp()
    stricter = People(policy=FactorPolicy.CERTIFICATE, records=people.records, clock=people.clock)
    stricter.entropy.calls = 10_000
    answer = stricter.pass_code(stricter.challenged().challenge)
    assert answer.must_first is MustFirst.ENROL_FACTOR
    caller = stricter.caller(answer)
    with pytest.raises(e.InvalidInput, match="does not count"):
        stricter.enrol(caller, EnrolFactor(kind=FactorKind.TOTP))
    enrolled_ukey(stricter, caller)
    assert stricter.caller(answer).must_first is None
    assert stricter.challenged().kinds == (FactorKind.UKEY,)


def test_the_last_factor_that_counts_stays(people: People) -> None:
    totp = people.with_totp()
    answer = people.pass_code(people.challenged().challenge)
    caller = people.caller(answer)
    with pytest.raises(e.LastSecondFactor):
        people.remove(caller, RemoveFactor(factor_id=totp))
    ukey = enrolled_ukey(people, caller)
    people.remove(caller, RemoveFactor(factor_id=totp))
    assert [one.id for one in people.list_factors(caller, ListFactors())] == [ukey.factor.id]
    with pytest.raises(e.SecondFactorNotFound):
        people.remove(caller, RemoveFactor(factor_id=totp))
    with pytest.raises(e.SecondFactorNotFound):
        people.confirm(caller, ConfirmFactor(factor_id=totp, code=people.code()))


def test_a_person_has_five_factors_at_most(people: People) -> None:
    caller = people.caller(people.signed_in())
    for _ in range(5):
        people.enrol(caller, EnrolFactor(kind=FactorKind.TOTP))
    with pytest.raises(e.InvalidInput, match="at most 5"):
        people.enrol(caller, EnrolFactor(kind=FactorKind.TOTP))
    people.clock.forward(10 * MINUTE)
    people.enrol(caller, EnrolFactor(kind=FactorKind.TOTP))


def by_provider(people: People, token: str) -> SignedIn | Challenged:
    return people.by_provider(VISITOR, SignInByProvider(id_token=token))


@pytest.fixture
def linked() -> People:
    """Someone whom the provider knows, with a role that it does not vouch for."""
    people = People()
    people.account("zhang", Role.SEAL_KEEPER, Role.APPLICANT)
    people.link(ADMINISTRATOR, LinkIdentity(account_id="zhang", subject="zhang"))
    return people


def test_a_session_by_the_provider_has_the_roles_that_both_give(linked: People) -> None:
    answer = by_provider(linked, "id-token-1")
    assert isinstance(answer, SignedIn)
    assert linked.caller(answer).roles == {Role.SEAL_KEEPER}
    with pytest.raises(e.Unauthenticated):
        by_provider(linked, "id-token-of-auditor")
    assert linked.entries("session.refused")[-1]["reason"] == "no_role_in_common"


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("made-up", "id_token_refused"),
        ("id-token-of-stranger", "no_such_person"),
        ("id-token-1", "id_token_used_before"),
    ],
)
def test_what_the_provider_does_not_vouch_for_opens_nothing(linked: People, token: str, reason: str) -> None:
    by_provider(linked, "id-token-1")
    with pytest.raises(e.Unauthenticated):
        by_provider(linked, token)
    assert linked.entries("session.refused")[-1]["reason"] == reason


def test_a_link_that_is_removed_ends_the_sessions_that_came_by_it(linked: People) -> None:
    answer = by_provider(linked, "id-token-1")
    assert isinstance(answer, SignedIn)
    linked.unlink(ADMINISTRATOR, UnlinkIdentity(account_id="zhang", subject="zhang"))
    with pytest.raises(e.Unauthenticated):
        linked.caller(answer)
    with pytest.raises(e.Unauthenticated):
        by_provider(linked, "id-token-2")
    with pytest.raises(e.IdentityLinkNotFound):
        linked.unlink(ADMINISTRATOR, UnlinkIdentity(account_id="zhang", subject="zhang"))
    linked.account("li")
    linked.link(ADMINISTRATOR, LinkIdentity(account_id="li", subject="zhang"))
    with pytest.raises(e.AlreadyRegistered):
        linked.link(ADMINISTRATOR, LinkIdentity(account_id="zhang", subject="zhang"))


def test_the_provider_does_not_replace_the_second_factor() -> None:
    people = People(policy=FactorPolicy.ANY)
    people.person()
    people.link(ADMINISTRATOR, LinkIdentity(account_id="zhang", subject="zhang"))
    people.with_totp()
    first, second = by_provider(people, "id-token-1"), by_provider(people, "id-token-1")
    assert isinstance(first, Challenged)
    assert isinstance(second, Challenged)
    people.pass_code(first.challenge)
    people.clock.forward(MINUTE)
    reason = refused(people, PassSecondFactor(challenge=second.challenge, code=people.code()))
    assert reason == "id_token_used_before"


def test_without_a_provider_nobody_comes_by_one(linked: People) -> None:
    use_case = replace(linked.by_provider, provider=None)
    with pytest.raises(e.IdentityProviderNotSet):
        use_case(VISITOR, SignInByProvider(id_token="id-token-1"))
