"""What a key is needed for, and when it may go."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from seal_service.domain.algorithms import Suite
from seal_service.domain.authority import AUTHORITY_RULES, current, should_be_rotated, succession
from seal_service.domain.certification import CertificateRequest, CertificateRequestState
from seal_service.domain.identifiers import moment_of, uuid7
from seal_service.domain.issuance import AuthorityCredential, AuthorityRole
from seal_service.domain.key_use import SETTLING, AuthorityUse, KeyState, KeyUse, key_state, reasons_to_keep
from seal_service.domain.seal import SealState
from tests.storage_samples import CODE, NOW, credential, later, seal

R = AuthorityRole


def own(role: AuthorityRole, version: int = 1, days: float = 1000) -> AuthorityCredential:
    return AuthorityCredential(
        role=role,
        version=version,
        key_reference=f"{role.value}-{version}",
        certificate=b"0\x00",
        not_before=NOW,
        not_after=later(days=days),
    )


def of_authority(role: AuthorityRole, superseded: float | None, *, answers: bool = False) -> KeyUse:
    """A key of our own that was superseded so many hours ago."""
    at = None if superseded is None else later(hours=-superseded)
    use = AuthorityUse(credential=own(role), superseded_at=at, answers_for_valid=answers)
    return KeyUse(reference="key", authority=use)


def of_seal(state: SealState, version: int = 1) -> KeyUse:
    held = replace(
        seal(), state=state, version=version, credentials=(credential(), credential("0a02", version=version))
    )
    return KeyUse(reference="key", seal=held, credential=held.credentials[0])


@pytest.mark.parametrize(
    ("use", "state", "may_go"),
    [
        pytest.param(of_authority(R.ISSUING, None), KeyState.SIGNS, False, id="the newest of a role"),
        pytest.param(of_authority(R.ISSUING, 5, answers=True), KeyState.VERIFIES, False, id="its list is needed"),
        pytest.param(of_authority(R.ISSUING, 5), KeyState.SUPERSEDED, True, id="nothing that it issued is valid"),
        pytest.param(of_authority(R.TIMESTAMP, 0.5), KeyState.SUPERSEDED, False, id="superseded just now"),
        pytest.param(of_authority(R.TIMESTAMP, 1), KeyState.SUPERSEDED, True, id="a superseded unit"),
        pytest.param(of_seal(SealState.ACTIVE), KeyState.SIGNS, False, id="a seal's"),
        pytest.param(
            of_seal(SealState.SUSPENDED), KeyState.SIGNS, False, id="a suspended seal's, which may be resumed"
        ),
        pytest.param(of_seal(SealState.MADE), KeyState.SIGNS, False, id="a seal's that is not active yet"),
        pytest.param(of_seal(SealState.CANCELLED), KeyState.SUPERSEDED, True, id="a cancelled seal's"),
        pytest.param(of_seal(SealState.ACTIVE, version=2), KeyState.SUPERSEDED, True, id="a renewed seal's"),
        pytest.param(KeyUse(reference="key"), KeyState.UNNAMED, True, id="named by nothing, of unknown age"),
        pytest.param(KeyUse(reference=f"seal-{uuid7(NOW, bytes(10))}"), KeyState.UNNAMED, False, id="just made"),
        pytest.param(
            KeyUse(reference=f"seal-{uuid7(NOW - SETTLING, bytes(10))}"), KeyState.UNNAMED, True, id="made an hour ago"
        ),
    ],
)
def test_a_key_goes_only_when_nothing_needs_it(use: KeyUse, state: KeyState, may_go: bool) -> None:
    assert key_state(use, NOW) is state
    reasons = reasons_to_keep(use, NOW)
    assert (reasons == ()) is may_go
    assert all(one[0].isupper() and not one.endswith(".") for one in reasons)


def test_a_key_of_an_expired_seal_may_go_and_a_minute_before_not() -> None:
    use = of_seal(SealState.ACTIVE)
    assert use.seal is not None
    end = use.seal.not_after
    assert reasons_to_keep(use, end - timedelta(minutes=1)) == (f"The seal {CODE} is sealed with it",)
    assert reasons_to_keep(use, end) == ()


def test_a_key_that_waits_for_its_certificate_is_kept() -> None:
    request = CertificateRequest(
        id="request-1",
        seal_code=CODE,
        application_id=None,
        suite=Suite.ECDSA_P256,
        key_reference="key",
        request=b"0\x00",
        state=CertificateRequestState.PENDING,
        requested_by="operator",
        requested_at=NOW,
    )
    use = KeyUse(reference="key", request=request)
    assert key_state(use, NOW) is KeyState.PENDING
    assert reasons_to_keep(use, NOW) == ("The certificate request request-1 waits for its certificate",)


def test_the_moment_of_a_reference_is_that_of_the_identifier_at_its_end() -> None:
    at = NOW.replace(microsecond=123_000)
    assert moment_of(f"issuing-2-{uuid7(at, bytes(10))}") == at
    assert moment_of(uuid7(at, b"\xff" * 10)) == at
    for text in ("", "issuing-1-a2e26c96", "seal-ffffffff-ffff-7000-8000-000000000000", f"{uuid7(at, bytes(10))}-2"):
        assert moment_of(text) is None


def test_a_rotation_makes_what_has_to_be_there_with_it() -> None:
    first = [own(role) for role in AUTHORITY_RULES]

    def planned(role: AuthorityRole, *further: AuthorityCredential) -> list[tuple[str, int, int | None]]:
        found = succession(role, [*first, *further], NOW)
        return [(one.role.value, one.version, one.issuer_version) for one in found]

    assert planned(R.ROOT) == [("root", 2, None)]
    assert planned(R.TIMESTAMP) == [("timestamp", 2, 1)]
    assert planned(R.TIMESTAMP, own(R.ROOT, 2)) == [("timestamp", 2, 2)]
    assert planned(R.ISSUING) == [("issuing", 2, 1), ("ocsp", 2, 2)]
    assert planned(R.OCSP) == [("ocsp", 2, 1)]
    assert planned(R.OCSP, own(R.ISSUING, 2), own(R.OCSP, 2)) == [("ocsp", 3, 1), ("ocsp", 4, 2)]
    assert planned(R.OCSP, own(R.ISSUING, 2, days=-1), own(R.ISSUING, 3)) == [("ocsp", 2, 1), ("ocsp", 3, 3)]


def test_every_role_is_rotated_early_enough_for_what_it_signs_to_live_out_its_time() -> None:
    for role, rule in AUTHORITY_RULES.items():
        credential = own(role, days=365 * rule.years)
        assert not should_be_rotated(credential, NOW)
        assert not should_be_rotated(credential, credential.not_after - rule.overlap - timedelta(seconds=1))
        assert should_be_rotated(credential, credential.not_after - rule.overlap)


def test_the_newest_that_has_begun_signs() -> None:
    old, new = own(R.OCSP), replace(own(R.OCSP, 2), not_before=later(seconds=1))
    assert current([old, new], NOW) is old
    assert current([old, new], later(seconds=1)) is new
    assert current([new], NOW) is new
    assert current([], NOW) is None
