"""docs/how-to/connect-a-system.md: the example that is printed logs in, seals and is used once."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from pathlib import Path

from joserfc.jwk import ECKey

from tests.live import DOCUMENT, SCENARIO, LiveOffice, expect, live_city
from tests.machines import RegisteredSystem

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "connect-a-system.md"


def test_the_printed_example_makes_a_key_logs_in_and_seals(tmp_path: Path) -> None:
    (example,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    assert "http://127.0.0.1:8000" in example
    program = tmp_path / "connect.py"
    program.write_text(example.replace("127.0.0.1:8000", f"127.0.0.1:{port}"), encoding="utf-8")

    def run(*arguments: str) -> str:
        command = [sys.executable, program.name, *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    with live_city(tmp_path / "home", port, public_url=f"http://127.0.0.1:{port}") as city:
        office = LiveOffice(city)
        registered = RegisteredSystem(office, ECKey.generate_key("P-256"))
        office.person("U1001", "李四")
        run("make-key")
        assert (tmp_path / "system.key.jwk").stat().st_mode & 0o077 == 0
        public_key = json.loads((tmp_path / "system.jwk").read_text())
        expect(201, registered.add(kind="jwk", public_key=public_key))
        told = run(registered.client_id, office.code, SCENARIO, str(DOCUMENT), "sealed.pdf")
        assert told.split()[1] == "B-LT"
        sealed = (tmp_path / "sealed.pdf").read_bytes()
        assert sealed.startswith(DOCUMENT.read_bytes())
        use = expect(200, office.keeper.get(f"/v1/seals/{office.code}/uses/{told.split()[0]}"))
        assert use["account_id"] == registered.client_id
