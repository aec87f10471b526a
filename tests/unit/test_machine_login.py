"""机器登录规则: every account, method and binding in both profiles, and where systems call from."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seal_service.domain.access import Role
from seal_service.domain.errors import InvalidInput
from seal_service.domain.machine import MOST_NETWORKS, SystemState, calls_from, checked_networks
from seal_service.domain.machine_login import Binding, ClientMethod, Login, bearer_refused, login_refusal
from seal_service.domain.operation import Profile

SYSTEM, PERSON = frozenset({Role.BUSINESS_SYSTEM}), frozenset({Role.UNIT_ADMINISTRATOR})
EVERY = [
    Login(roles=roles, method=method, binding=binding, system=system, at_the_machine=at_the_machine)
    for roles, method, binding, system, at_the_machine in product(
        (SYSTEM, PERSON), ClientMethod, Binding, (None, *SystemState), (False, True)
    )
]


def test_over_http_production_takes_systems_that_prove_a_key_at_login_and_call_and_nobody_with_a_secret() -> None:
    taken = {one for one in EVERY if login_refusal(Profile.PRODUCTION, one) is None and not one.at_the_machine}
    systems = {one for one in taken if one.roles == SYSTEM}
    assert {(one.method, one.binding, one.system) for one in systems} == {
        (method, binding, SystemState.APPROVED)
        for method in (ClientMethod.ASSERTION, ClientMethod.CERTIFICATE)
        for binding in (Binding.KEY, Binding.CERTIFICATE)
    }
    assert not any(one.method is ClientMethod.SECRET for one in taken)


def test_a_pilot_takes_secrets_and_bearer_tokens_but_no_system_that_the_office_did_not_approve() -> None:
    for one in EVERY:
        refused = login_refusal(Profile.DEVELOPMENT, one)
        pending = one.roles == SYSTEM and one.system in (SystemState.PENDING, SystemState.REJECTED)
        assert (refused is not None) == (pending and not one.at_the_machine)


def test_a_command_at_the_machine_logs_in_whatever_the_profile() -> None:
    """Who runs it may read the key directory as well, and its token never leaves the process."""
    at_the_machine = [one for one in EVERY if one.at_the_machine]
    assert {login_refusal(profile, one) for profile in Profile for one in at_the_machine} == {None}


def test_a_bearer_token_of_a_system_is_worthless_in_production_over_http_alone() -> None:
    worthless = {
        (profile, roles, at)
        for profile, roles, at in product(Profile, (SYSTEM, PERSON), (False, True))
        if bearer_refused(profile, roles, at_the_machine=at)
    }
    assert worthless == {(Profile.PRODUCTION, SYSTEM, False)}


@pytest.mark.parametrize(
    ("networks", "address", "inside"),
    [
        (("10.0.0.0/8",), "10.1.2.3", True),
        (("10.0.0.0/8",), "11.0.0.1", False),
        (("10.0.0.0/8",), "::ffff:10.1.2.3", True),
        (("192.0.2.7",), "192.0.2.7", True),
        (("2001:db8::/32",), "2001:db8::1", True),
        (("2001:db8::/32", "10.0.0.0/8"), "2001:db9::1", False),
        (("10.0.0.0/8",), None, False),
        (("10.0.0.0/8",), "testclient", False),
        ((), "10.1.2.3", False),
    ],
)
def test_a_call_comes_from_a_registered_network_or_not(
    networks: tuple[str, ...], address: str | None, inside: bool
) -> None:
    assert calls_from(networks, address) is inside


@pytest.mark.parametrize(
    "given_networks",
    [(), ("0.0.0.0/0",), ("::/0",), ("10.0.0.1/8",), ("nonsense",), ("",), tuple(f"10.0.{n}.0/24" for n in range(21))],
)
def test_networks_that_are_none_or_everything_are_refused(given_networks: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput):
        checked_networks(given_networks)


@given(st.lists(st.ip_addresses(), min_size=1, max_size=MOST_NETWORKS))
def test_a_registered_address_is_called_from(addresses: list[object]) -> None:
    networks = checked_networks(tuple(str(one) for one in addresses))
    assert checked_networks(networks) == networks
    assert all(calls_from(networks, str(one)) for one in addresses)
