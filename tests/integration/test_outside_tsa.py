"""A time-stamping authority made by others, in a process of its own, to all levels (article 9; RFC 3161)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from seal_service.domain.use import SignatureLevel
from seal_service.domain.verdict import Indication
from seal_service.formats.pem import certificates_of
from seal_service.testing import ChangeableClock
from tests.instance import RealOffice
from tests.outside_tsa import OutsideTsa, outside_tsa


class RunningClock(ChangeableClock):
    """The machine's time, as the outside authority has it."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OutsideTsa]:
    with outside_tsa(tmp_path_factory.mktemp("tsa")) as running:
        yield running


@pytest.fixture(scope="module")
def office(authority: OutsideTsa, tmp_path_factory: pytest.TempPathFactory) -> RealOffice:
    (root,) = certificates_of(authority.root.read_bytes())
    return RealOffice(
        tmp_path_factory.mktemp("home"),
        clock=RunningClock(),
        changes={
            "timestamp_urls": (authority.tsr,),
            "timestamp_embedded": False,
            "timestamp_anchors": (authority.root,),
            "revocation_addresses": {hashlib.sha256(root).hexdigest(): (f"{authority.url}/",)},
        },
    )


@pytest.mark.parametrize("level", SignatureLevel)
def test_seals_of_every_level_carry_the_outside_authoritys_time(office: RealOffice, level: SignatureLevel) -> None:
    applied = office.use(f"outside-{level}", level=level)
    assert applied.content is not None
    report = office.verify(applied.content)
    assert report.indication is Indication.TOTAL_PASSED, json.dumps(report.signatures[0].checks, default=str)
    assert report.signatures[0].level is not None
    assert report.signatures[0].level == level.value
    if level is not SignatureLevel.B_B:
        assert report.signatures[0].time_source == "timestamp"
