"""主密钥轮换 while threads and another process apply seals and make new ones: nothing is lost, nothing fails."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import pytest

from seal_service.bootstrap import build
from seal_service.config import Settings
from seal_service.domain.errors import InstanceNotReady, IntegrityFailed
from seal_service.domain.paging import Page, PageRequest
from seal_service.domain.use import UseState
from seal_service.domain.verdict import Indication
from seal_service.pki.master_key import MasterKey
from seal_service.testing import ChangeableClock
from seal_service.usecases.read_log import QueryLog, ReadEntry
from seal_service.usecases.read_registers import ListSeals
from seal_service.usecases.read_use import ListUses, ReadUse
from seal_service.usecases.rotate_master_key import RotateMasterKey
from seal_service.usecases.rotate_token_key import RotateTokenKey
from tests.instance import RealOffice, blank_pdf

ROOT = Path(__file__).parents[2]
AT_MOST_SECONDS = 120
USES_BETWEEN = 4
"""That each worker completes before, between and after the rotations."""
MAKES_A_SEAL = 3
"""Uses after which a thread makes a further seal."""

Item = TypeVar("Item")

OTHER_PROCESS = """
import sys
sys.path.insert(0, {root!r})
from pathlib import Path
from seal_service.bootstrap import build
from seal_service.config import Settings
from seal_service.domain.access import Caller, Role
from seal_service.formats.upload import upload_of
from seal_service.usecases.apply_seal import ApplySeal
from tests.instance import blank_pdf

settings = Settings(home=Path({home!r}), keys=Path({home!r}) / "keys")
caller = Caller(account_id={account!r}, name="业务系统", roles=frozenset({{Role.BUSINESS_SYSTEM}}), unit_id={unit!r})
service = build(settings)
for number, line in enumerate(sys.stdin):
    if number % 3 == 2:  # start again, so that every key is opened from its file at any moment of a rotation
        service.close()
        service = build(settings)
    key = "other-" + str(number)
    document = upload_of(blank_pdf(mark=key), "示例文件.pdf")
    applied = service.apply_seal(
        caller, ApplySeal(seal_code={code!r}, document=document, scenario="permit", idempotency_key=key)
    )
    print(applied.use.state.value, flush=True)
service.close()
"""


class MachineClock(ChangeableClock):
    """The machine's time, which both processes have."""

    def now(self) -> datetime:
        """Now."""
        return datetime.now(UTC)


class Worker:
    """Does one thing again and again until it is told to stop; counts, and keeps the first error."""

    def __init__(self, act: Callable[[int], None]) -> None:
        self._act, self._stop, self._progress = act, threading.Event(), threading.Condition()
        self.done = 0
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set() and self.error is None:
            try:
                self._act(self.done)
            except BaseException as error:
                self.error = error
            with self._progress:
                self.done += 1
                self._progress.notify_all()

    def has_done(self, more: int) -> None:
        """Wait until it did so many more."""
        with self._progress:
            wanted = self.done + more
            assert self._progress.wait_for(lambda: self.done >= wanted or self.error is not None, AT_MOST_SECONDS)
        assert self.error is None, self.error

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(AT_MOST_SECONDS)
        assert not self._thread.is_alive()


@contextmanager
def other_process(office: RealOffice) -> Iterator[Callable[[int], None]]:
    """A process of its own that applies the same seal once for each call."""
    program = OTHER_PROCESS.format(
        root=str(ROOT),
        home=str(office.home),
        account=office.system.identity,
        unit=office.holder.id,
        code=office.made.code,
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        asked, answered = process.stdin, process.stdout

        def apply(_: int) -> None:
            asked.write("again\n")
            asked.flush()
            assert answered.readline().strip() == UseState.COMPLETED.value

        try:
            yield apply
            asked.close()
            assert process.wait(AT_MOST_SECONDS) == 0
        finally:
            process.kill()


@pytest.mark.slow
def test_the_master_key_is_rotated_under_load_and_nothing_is_lost(tmp_path: Path) -> None:
    office = RealOffice(tmp_path, clock=MachineClock())
    master = tmp_path / "keys" / "master.key"
    (first,) = master.read_text().split()

    def apply(thread: int) -> Callable[[int], None]:
        return lambda number: _completed(office, thread, number)

    with other_process(office) as elsewhere:
        workers = [*(Worker(apply(thread)) for thread in range(3)), Worker(elsewhere)]
        try:
            for _ in range(2):
                for one in workers:
                    one.has_done(USES_BETWEEN)
                office.service.rotate_master_key(office.operator, RotateMasterKey())
                office.service.rotate_token_key(office.operator, RotateTokenKey())
            for one in workers:
                one.has_done(USES_BETWEEN)
        finally:
            for one in workers:
                one.stop()
        assert [one.error for one in workers] == [None] * 4
    (last,) = master.read_text().split()
    assert last != first
    _require_nothing_lost(office, [one.done for one in workers])
    _require_worthless(tmp_path / "keys", first)


def _completed(office: RealOffice, thread: int, number: int) -> None:
    """One use, and now and then a further seal, and with it a further key."""
    key = f"thread-{thread}-{number}"
    assert office.use(key, blank_pdf(mark=key)).use.state is UseState.COMPLETED
    if number % MAKES_A_SEAL == 0:
        office.seal(office.holder, office.keeper)


def _require_nothing_lost(office: RealOffice, done: list[int]) -> None:
    """Read by a service that begins now, with the new master key alone."""
    office.service.close()
    office.service = build(office.settings)
    service, code = office.service, office.made.code
    uses = _all(lambda page: service.list_uses(office.system, ListUses(seal_code=code, page=page)))
    assert len(uses) == sum(done)
    for use in uses:
        assert use.state is UseState.COMPLETED
        _, document = service.fetch_document(office.system, ReadUse(seal_code=code, use_id=use.id))
        assert office.verify(document).indication is Indication.TOTAL_PASSED
    made = 1 + sum(-(-count // MAKES_A_SEAL) for count in done[:3])
    assert len(_all(lambda page: service.list_seals(office.maker, ListSeals(page=page)))) == made
    entries = _all(lambda page: service.query_log(office.auditor, QueryLog(page=page)).page)
    assert len(entries) > 2 * len(uses)
    for entry in entries:
        service.read_entry(office.auditor, ReadEntry(entry_id=entry.entry_id))


def _all(page_of: Callable[[PageRequest], Page[Item]]) -> list[Item]:
    items: list[Item] = []
    cursor = None
    while True:
        page = page_of(PageRequest(cursor=cursor))
        items.extend(page.items)
        if page.next_cursor is None:
            return items
        cursor = page.next_cursor


def _require_worthless(keys: Path, master_key: str) -> None:
    """The old master key alone opens no key file and not the ring."""
    old = MasterKey(bytes.fromhex(master_key))
    files = list(keys.glob("[!m]*.key"))
    assert len(files) > 5
    for path in files:
        with pytest.raises(IntegrityFailed):
            old.unwrap(path.read_bytes(), b"key/" + path.stem.encode())
    with pytest.raises(IntegrityFailed):
        old.unwrap((keys / "keyring").read_bytes(), b"keyring")
    (keys / "master.key").write_text(master_key)
    with pytest.raises(InstanceNotReady):
        build(Settings(home=keys.parent, keys=keys))
