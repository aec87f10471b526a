"""`seal filing`: what an office and an operator do about filings, against a registry on a real socket."""

from __future__ import annotations

import base64
import json

import pytest

from tests.command_line import Office
from tests.provincial_registry import SYSTEM_ID, provincial_registry


def test_filings_are_collected_shown_and_sent_once_a_registry_is_there(
    fresh_by_command: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = fresh_by_command
    said, operator, maker = office.at.said, office.operator, office.maker
    assert said("filing", "status", by=office.auditor)["waiting"] == 2
    assert said("filing", "send", by=operator) == {"acknowledged": 0, "refused": 0, "unreached": 0}
    with provincial_registry() as registry:
        monkeypatch.setenv("SEAL_FILING_URL", registry.url)
        assert "SEAL_FILING_SYSTEM_ID" in office.at.refused("filing", "status", by=maker, code=2)
        monkeypatch.setenv("SEAL_FILING_SYSTEM_ID", SYSTEM_ID)
        without_key = office.at.run("filing", "send", by=operator)
        assert without_key.exit_code == 1
        waiting = said("filing", "list", "--state", "waiting", by=maker)["items"]
        assert "`seal filing key`" in waiting[-1]["failure"]
        key = said("filing", "key", by=operator)
        assert key["made"]
        assert not said("filing", "key", by=operator)["made"]
        assert office.at.run("filing", "key", by=operator).stdout.startswith("-----BEGIN PUBLIC KEY-----\n")
        registry.public_key_info = base64.b64decode("".join(key["public_key"].splitlines()[1:-1]))
        head = waiting[-1]["id"]
        assert said("filing", "retry", head, by=maker)["attempts"] == 1
        assert said("filing", "send", by=operator)["acknowledged"] == 2
        shown = said("filing", "show", head, by=office.keeper)
        assert (shown["state"], shown["receipt"]) == ("acknowledged", "省备000001")
        report = said("filing", "report", by=operator)
        assert (report["acknowledged"], report["seals_compared"], report["seals_differing"]) == (2, 1, [])
        registry.lose_everything()
        differing = office.at.run("filing", "report", "--json", by=operator)
        assert differing.exit_code == 1
        assert json.loads(differing.stdout)["seals_differing"] == [office.code]
        assert registry.faults == []
    office.at.refused("filing", "list", by=operator, code=1)
    refusal = office.at.refused("keys", "destroy", "filing", "--yes", by=operator, code=1)
    assert "the province knows it" in refusal
