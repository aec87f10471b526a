"""The arithmetic of `make bench`: targets, paired rounds, history, and what the documentation quotes of it."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import __main__ as benchmarks
from benchmarks.figures import Figure, paired_ratio, quantile, significant
from benchmarks.pairing import Variant, paired_rounds
from benchmarks.processes import CpuMeter, below, tree_memory
from benchmarks.records import Circumstances, append, history, record_of
from benchmarks.scraped import scraped
from benchmarks.session import Session

ROOT = Path(__file__).parents[2]
METRICS = """# TYPE seal_use_step_seconds histogram
seal_use_step_seconds_sum{{step="authorize"}} {authorize}
seal_use_step_seconds_sum{{step="reserve"}} {reserve}
seal_use_step_seconds_sum{{step="seal"}} {seal}
# TYPE seal_uses_total counter
seal_uses_total{{level="B-B",result="completed"}} {uses}
seal_uses_total{{level="none",result="authorization_denied"}} 9
# TYPE seal_http_request_seconds histogram
seal_http_request_seconds_sum{{method="POST",route="/v1/seals/{{seal_code}}/uses",status="201"}} {requests}
seal_http_request_seconds_sum{{method="GET",route="/v1/seals/{{seal_code}}/uses",status="200"}} 7
"""


def figure(value: float, **target: float) -> Figure:
    return Figure(part="sealing", name="one", value=value, unit="×", **target)


@pytest.mark.parametrize(
    ("one", "met", "target"),
    [
        (figure(30.0, at_least=30), True, "≥ 30 ×"),
        (figure(29.99, at_least=30), False, "≥ 30 ×"),
        (figure(2.2, at_most=2.2), True, "≤ 2.2 ×"),
        (figure(2.201, at_most=2.2), False, "≤ 2.2 ×"),
        (figure(1.0), None, ""),
    ],
)
def test_a_target_is_judged_by_the_value_and_not_by_what_is_printed(one: Figure, met: bool | None, target: str) -> None:
    assert (one.met, one.target) == (met, target)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_no_figure(value: float) -> None:
    with pytest.raises(ValueError, match="one is"):
        figure(value)
    with pytest.raises(ValueError, match="two targets"):
        figure(1, at_least=1, at_most=2)


def test_a_ratio_is_of_rounds_so_a_drifting_machine_leaves_it() -> None:
    faster = [1.0, 2.0, 10.0, 1.5, 1.0]  # the machine was busy with something else in the third round
    assert paired_ratio([one * 30 for one in faster], faster) == 30
    with pytest.raises(ValueError, match="shorter"):
        paired_ratio([1.0, 2.0], [1.0])


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.01, 1))
def test_a_quantile_is_a_value_that_enough_do_not_exceed(values: list[float], share: float) -> None:
    found = quantile(values, share)
    assert found in values
    assert sum(one <= found for one in values) >= share * len(values) - 1e-9
    assert sum(one < found for one in values) < share * len(values) + 1e-9


@given(st.floats(1e-6, 1e12))
def test_rounding_keeps_as_many_digits_as_a_measurement_bears(value: float) -> None:
    assert abs(significant(value) - value) <= value * 0.5e-3
    assert significant(significant(value)) == significant(value)


def test_paired_rounds_alternate_and_their_warm_up_does_not_count() -> None:
    order: list[str] = []

    def doing(name: str) -> Variant[str]:
        def prepare() -> Callable[[], str]:
            order.append(f"prepare {name}")
            return lambda: name

        return Variant(name, prepare, lambda outcome: order.append(f"judge {outcome}"))

    timings = paired_rounds([doing("a"), doing("b")], rounds=2, warm_up=1)
    turns = [each for name in "baabba" for each in (f"prepare {name}", f"judge {name}")]
    assert order == turns
    assert {name: (len(one.wall), len(one.cpu), one.last) for name, one in timings.items()} == {
        "a": (2, 2, "a"),
        "b": (2, 2, "b"),
    }


def test_what_is_prepared_or_judged_is_not_timed() -> None:
    def prepare() -> Callable[[], None]:
        time.sleep(0.05)
        return lambda: time.sleep(0.01)

    timed = paired_rounds([Variant("slow", prepare, lambda _: time.sleep(0.05))], rounds=3)["slow"]
    assert 10 <= timed.wall_ms < 50
    assert timed.cpu_ms < timed.wall_ms


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is read")
def test_processor_time_and_memory_of_a_living_child_count() -> None:
    """The system counts a child's time for its parent only when it has ended."""
    busy = "import sys; held = bytearray(50_000_000); sum(range(3_000_000)); print(1, flush=True); sys.stdin.read()"
    meter, before = CpuMeter(), tree_memory(os.getpid())
    with subprocess.Popen([sys.executable, "-c", busy], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert child.pid in below(os.getpid())
        assert meter.seconds() > 0.01
        assert tree_memory(os.getpid()) - before > 45_000_000
        child.communicate()


@pytest.mark.skipif(sys.platform != "linux", reason="memory files are Linux's")
def test_a_memory_file_counts_though_nobody_has_mapped_it() -> None:
    """In a process that holds nothing else."""
    program = (
        "import os\n"
        "handle = os.memfd_create('document')\n"
        "print(flush=True)\n"
        "input()\n"
        "for _ in range(200): os.write(handle, bytes(100_000))\n"
        "print(flush=True)\n"
        "input()\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        before = tree_memory(process.pid)
        process.stdin.write(b"\n")
        process.stdin.flush()
        process.stdout.readline()
        assert tree_memory(process.pid) - before > 19_000_000
        process.kill()


def test_the_time_of_a_use_is_what_was_counted_between_two_scrapes() -> None:
    before = scraped(METRICS.format(authorize=1, reserve=4, seal=6, uses=10, requests=20))
    after = scraped(METRICS.format(authorize=2, reserve=8, seal=16, uses=20, requests=50))
    told = after.since(before)
    assert told.milliseconds() == {"authorize": 100, "reserve": 400, "seal": 1000}
    assert told.in_steps == 14, "reserve includes authorize"
    assert (told.uses, told.requests) == (10, 30)


def circumstances(day: int) -> Circumstances:
    machine = {"cores": 2, "cpu": "Example", "memory_gib": 8.0, "file_system": "ext4", "python": "3.11.7"}
    return Circumstances(at=datetime(2026, 1, day, tzinfo=UTC), machine=machine, commit="0" * 40, dirty=False)


def test_the_history_grows_and_keeps_what_there_was(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    assert history(path) == []
    for day in (1, 2):
        append(record_of(circumstances(day), ["sealing"], [figure(day, at_least=2)], [], whole=True), path)
    kept = history(path)
    assert [one["date"] for one in kept] == ["2026-01-01T00:00:00+00:00", "2026-01-02T00:00:00+00:00"]
    assert [one["figures"][0]["met"] for one in kept] == [False, True]
    assert list(tmp_path.iterdir()) == [path]


def documentation() -> ModuleType:
    """docs/generate.py, which is a script and no package."""
    spec = importlib.util.spec_from_file_location("docs_generate_benchmarks", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_documentation_quotes_the_last_whole_record_and_the_parts_measured_since(tmp_path: Path) -> None:
    path, docs = tmp_path / "results.json", documentation()
    assert docs.measured_targets(path) == "Nothing is recorded yet."
    figures = [figure(31.26, at_least=30), figure(2, at_most=1), figure(7777.7)]
    append(record_of(circumstances(1), ["sealing"], [figure(1, at_least=30)], [], whole=True), path)
    append(record_of(circumstances(2), ["sealing"], figures, ["PostgreSQL"], whole=True), path)
    start = replace(figure(9, at_most=1), part="start")
    append(record_of(circumstances(3), ["start"], [start], [], whole=False), path)
    append(record_of(circumstances(4), ["start"], [replace(start, value=0.5)], [], whole=False), path)
    quoted = docs.measured_targets(path)
    assert "Measured 2026-01-02 at commit `000000000000`, on 2 cores of Example" in quoted
    assert "The part `start` anew 2026-01-04 at commit `000000000000`. Not measured: PostgreSQL." in quoted
    assert "| one | 0.5 × | ≤ 1 × |  |" in quoted
    assert "| one | 9 ×" not in quoted
    assert "| one | 31.3 × | ≥ 30 × |  |" in quoted
    assert "| one | 2 × | ≤ 1 × | **missed** |" in quoted
    assert "7,778" not in quoted
    assert "| sealing | one | 7,778 × |" in docs.measured_figures(path)


@pytest.mark.parametrize(("value", "code"), [(30.0, 0), (29.0, 1)])
def test_a_missed_target_is_recorded_and_is_the_exit_code(
    value: float, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def measure(session: Session) -> None:
        session.add("start", "one", value, "×", at_least=30)

    monkeypatch.setitem(benchmarks.PARTS, "start", measure)
    results = tmp_path / "results.json"
    assert benchmarks.main(["--only", "start", "--results", str(results), "--no-record"]) == code
    assert not results.exists()
    assert benchmarks.main(["--only", "start", "--results", str(results)]) == code
    [record] = json.loads(results.read_text(encoding="utf-8"))
    assert (record["whole"], record["parts"], record["figures"][0]["met"]) == (False, ["start"], code == 0)
    assert {"cores", "cpu", "memory_gib", "python", "openssl", "file_system"} <= record["machine"].keys()
    assert ("MISSED" in capsys.readouterr().out) is (code == 1)
