"""A restore that is killed at any step leaves nothing that looks like an instance, and is repeated to its end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from seal_service.bootstrap import build
from seal_service.config import Settings
from seal_service.domain.access import PUBLIC_CALLER
from seal_service.domain.errors import BackupRefused
from seal_service.domain.use import SignatureLevel
from seal_service.usecases.back_up import BackUp
from seal_service.usecases.check_database import CheckDatabase
from seal_service.usecases.check_readiness import CheckReadiness
from tests.backups import ENGINES, office_on, place, restore
from tests.instance import RealOffice, blank_pdf

ROOT = Path(__file__).parents[2]

_KILLED_AT_EVERY_STEP = """
import os, sys, traceback
from pathlib import Path
from seal_service.bootstrap import build, is_initialised, restoring
from seal_service.config import Settings
from seal_service.domain.errors import InstanceNotReady
from seal_service.storage.unit_of_work import SqlTransaction
from seal_service.usecases.authenticate import ClientSecret
import seal_service.bootstrap.wiring

settings = Settings()
backup = Path(sys.argv[1])
people = tuple(ClientSecret(client_id=one, client_secret=two) for one, two in zip(sys.argv[2::2], sys.argv[3::2]))
KILLED, STEPS = 86, ("fsync", "rename", "replace", "link", "unlink", "mkdir")

def kill_at(step):
    count = 0
    def counted(function):
        def call(*arguments, **named):
            nonlocal count
            count += 1
            if count == step:
                os._exit(KILLED)
            return function(*arguments, **named)
        return call
    for name in STEPS:
        setattr(os, name, counted(getattr(os, name)))
    for name in ("__init__", "commit"):  # the transaction that completes what was loaded
        setattr(SqlTransaction, name, counted(getattr(SqlTransaction, name)))

def looks_like_an_instance():
    if not is_initialised(settings):
        return False
    try:
        build(settings).close()
    except InstanceNotReady:
        return False
    return True

def in_a_child(act):
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = act()
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

def restore(step):
    def act():
        kill_at(step)
        with restoring(settings, backup, people=people) as act:
            act()
        return 0
    return act

step = 0
while True:
    step += 1
    code = in_a_child(restore(step))
    if code != KILLED:
        break
    # The database's name is the last step but the removal of the mark: from then on it is whole.
    if in_a_child(lambda: int(looks_like_an_instance())):
        print("whole", step)
        break
print("ended", step, code)
"""


@pytest.fixture(params=ENGINES)
def backup(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[RealOffice, Path]:
    office = office_on(request.param, tmp_path)
    office.use("one", blank_pdf(mark="1"), SignatureLevel.B_B)
    directory = tmp_path / "backups"
    directory.mkdir()
    made = office.service.back_up(office.operator, BackUp(directory=directory, with_keys=True))
    return office, directory / made.name


@pytest.mark.skipif(sys.platform != "linux", reason="forks")
def test_a_restore_killed_at_any_step_is_no_instance_and_is_repeated(
    backup: tuple[RealOffice, Path], tmp_path: Path
) -> None:
    office, path = backup
    settings = place(office, tmp_path / "place")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SEAL_")}
    for name, secret in (("URL", settings.database_url), ("OWNER_URL", settings.database_owner_url)):
        if secret is not None:
            environment[f"SEAL_DATABASE_{name}"] = secret.get_secret_value()
    environment |= {"SEAL_HOME": str(settings.home), "SEAL_KEYS": str(settings.keys), "PYTHONPATH": str(ROOT)}
    people = [part for one in office.people for part in (one.client_id, one.client_secret)]
    done = subprocess.run(
        [sys.executable, "-c", _KILLED_AT_EVERY_STEP, str(path), *people],
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    *_, (_, step, code) = [line.split() for line in done.stdout.splitlines()]
    assert int(step) > 15, done.stderr
    assert code in ("0", "86"), done.stderr
    service = build(settings)
    assert all(one.ready for one in service.check_readiness(PUBLIC_CALLER, CheckReadiness()))
    assert service.check_database(office.operator, CheckDatabase(deep=True)).clean
    service.close()
    left = {str(one.relative_to(settings.home)) for one in settings.home.iterdir()}
    assert left <= {"seal.db", "seal.db-wal", "seal.db-shm", "blobs", ".restoring"}
    office.service.close()


def test_what_another_restore_left_is_not_taken_for_ones_own(backup: tuple[RealOffice, Path], tmp_path: Path) -> None:
    office, path = backup
    settings = place(office, tmp_path / "place")
    settings.home.mkdir()
    (settings.home / ".restoring").write_text("0" * 64)
    with pytest.raises(BackupRefused, match="another backup"):
        restore(settings, path)
    assert Settings(home=settings.home).home.exists()
    office.service.close()
