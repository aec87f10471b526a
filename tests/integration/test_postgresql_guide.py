"""The commands of docs/how-to/postgresql.md, in their order, on a server that has nothing but its superuser."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.postgresql import APPLICATION, OWNER, Cluster
from tests.preloaded_command import preloaded_command

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "how-to" / "postgresql.md"


@pytest.mark.skipif(sys.platform != "linux", reason="tests.preloaded_command is for Linux")
def test_the_commands_of_the_guide_make_and_upgrade_a_frozen_instance(tmp_path: Path) -> None:
    for tool in ("bash", "openssl"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    commands = re.findall(r"^```sh\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    cluster = Cluster()
    try:
        with cluster.superuser() as superuser:  # the guide makes its own
            superuser.execute(f"DROP ROLE {OWNER}, {APPLICATION}".encode())
        with preloaded_command(tmp_path) as programs:
            environment = {name: value for name, value in os.environ.items() if not name.startswith("SEAL_")} | {
                "PATH": os.pathsep.join((str(programs), str(cluster.programs), os.environ["PATH"])),
                "REPOSITORY": str(ROOT),
                "PGHOST": "127.0.0.1",
                "PGPORT": str(cluster.port),
                "PGUSER": "postgres",
                "PGPASSWORD": cluster.password,
            }
            told = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", "\n".join([*commands, "seal db check --json"])],
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
        assert told.returncode == 0, f"{told.stdout[-2000:]}\n{told.stderr[-4000:]}"
        assert told.stdout.count("the tables are frozen") == 2
        passwords = [(tmp_path / f"{name}.password").read_text().strip() for name in ("owner", "seal")]
        assert not any(one in told.stdout + told.stderr for one in passwords)
    finally:
        cluster.stop()
