"""A witness as it is run: its own processes, real HTTP, and the log's client that asks it."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest

from seal_service.domain.errors import LogHalted, NoteRefused, Unavailable
from seal_service.formats.checkpoint import Checkpoint
from seal_service.formats.cosignature import cosigned_at
from seal_service.formats.merkle_leaf import leaf_hash
from seal_service.formats.note import SignatureType, read_note, signature_line, verifier_key
from seal_service.formats.witness_request import LARGEST_REQUEST, SIZE_TYPE, write_witness_request
from seal_service.log.merkle import consistency_path, root_of
from seal_service.pki.bounded_http import BoundedHttp
from seal_service.pki.witness_client import LARGEST_ANSWER, HttpWitness
from tests.note_keys import NoteKey
from tests.witness_process import ENVIRONMENT, SECONDS, command, key_of, made_witness, serving, shown

LOG = NoteKey("seal.example/log")
LEAVES = [leaf_hash(b"%d" % index) for index in range(40)]
FORKED = [*LEAVES[:5], leaf_hash(b"another"), *LEAVES[6:]]


def signed(size: int, leaves: Sequence[bytes] = LEAVES, key: NoteKey = LOG) -> bytes:
    return key.note(Checkpoint(origin=key.public.name, size=size, root=root_of(leaves[:size])).text)


def proving(size: int, leaves: Sequence[bytes] = LEAVES) -> Callable[[int], Sequence[bytes]]:
    def node(level: int, index: int) -> bytes:
        return root_of(leaves[index << level : index + 1 << level])

    return lambda old: consistency_path(old, size, node)


def body(old: int, size: int, leaves: Sequence[bytes] = LEAVES, key: NoteKey = LOG) -> bytes:
    path = proving(size, leaves)(old) if 0 < old <= size else ()
    return write_witness_request(old, path, signed(size, leaves, key))


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A witness that was made by command, and knows the log."""
    return made_witness(tmp_path_factory.mktemp("witness") / "audit", "witness.example/audit")


@pytest.fixture
def fresh(directory: Path) -> Path:
    """The same witness, which has seen nothing yet."""
    for one in (directory / "seen").iterdir():
        one.unlink()
    (directory / "stderr").unlink(missing_ok=True)
    (directory / "logs").write_text(f"# the city's log\n{LOG.public.text}\n")
    return directory


@pytest.fixture
def http() -> Iterator[BoundedHttp]:
    client = BoundedHttp(5, LARGEST_ANSWER)
    yield client
    client.close()


def test_statuses_are_those_of_the_specification(fresh: Path) -> None:
    with serving(fresh) as (address, _), httpx.Client(base_url=address) as client:

        def post(content: bytes) -> tuple[int, str, str]:
            answer = client.post("/add-checkpoint", content=content)
            return answer.status_code, answer.headers["content-type"], answer.text

        status, _, lines = post(body(0, 7))
        assert status == 200
        assert lines.startswith("— witness.example/audit ")
        at = cosigned_at(read_note(signed(7) + lines.encode()), verifier_key(key_of(fresh)))
        assert abs((datetime.now(UTC) - at).total_seconds()) < SECONDS
        assert post(body(3, 20)) == (409, SIZE_TYPE, "7\n")
        assert post(body(0, 3)) == (409, SIZE_TYPE, "7\n"), "a rollback"
        assert post(body(7, 7, FORKED)) == (409, SIZE_TYPE, "7\n"), "a fork of the same size"
        assert post(body(7, 20, FORKED))[0] == 422, "a fork that grew"
        assert post(body(7, 3))[0] == 400
        assert post(b"old seven\n\n")[0] == 400
        assert post(body(0, 7, key=NoteKey("seal.example/log", seed="another")))[0] == 403
        assert post(body(0, 7, key=NoteKey("other.example/log")))[0] == 404
        assert post(b"x" * (LARGEST_REQUEST + 1))[0] == 413
        assert client.get("/add-checkpoint").status_code == 405
        assert client.get("/").status_code == 404
        assert post(body(7, 20))[0] == 200
    told = [json.loads(line) for line in (fresh / "stderr").read_text().splitlines()]
    evidence = [one["checkpoint"] for one in told if one["level"] == "warning"]
    assert evidence == [signed(7, FORKED).decode(), signed(20, FORKED).decode(), signed(3).decode()]
    last = {"size": 20, "root": root_of(LEAVES[:20]).hex(), "checkpoint": signed(20).decode()}
    assert shown(fresh)["logs"] == [{"origin": "seal.example/log"} | last]


def test_a_log_gets_its_checkpoints_cosigned_whatever_the_witness_had_seen(fresh: Path, http: BoundedHttp) -> None:
    key = verifier_key(key_of(fresh))
    with serving(fresh) as (address, _):
        witness = HttpWitness(key, address + "/", http)
        assert witness.name == "witness.example/audit"
        for size, since in ((0, None), (3, None), (7, 3), (20, 3), (20, 20), (25, None), (30, 40)):
            found = witness.add_checkpoint(signed(size), size, proving(size), since)
            assert cosigned_at(read_note(signed(size) + "".join(found.lines).encode()), key) == found.at
        with pytest.raises(LogHalted, match="knows a tree of 30 entries"):
            witness.add_checkpoint(signed(7), 7, proving(7), 3)
        with pytest.raises(LogHalted, match="knows a tree of 30 entries"):
            witness.add_checkpoint(signed(30, FORKED), 30, proving(30, FORKED), 30)
        with pytest.raises(LogHalted, match="does not follow"):
            witness.add_checkpoint(signed(40, FORKED), 40, proving(40, FORKED), None)
        stranger = NoteKey("other.example/log")
        with pytest.raises(Unavailable, match="status 404"):
            witness.add_checkpoint(signed(7, key=stranger), 7, proving(7), None)
        another = NoteKey("witness.example/audit", SignatureType.COSIGNATURE).public
        with pytest.raises(Unavailable, match="gave no cosignature"):
            HttpWitness(another, address, http).add_checkpoint(signed(30), 30, proving(30), 30)
    with pytest.raises(Unavailable, match="does not answer"):
        witness.add_checkpoint(signed(40), 40, proving(40), 30)


def test_two_processes_of_a_witness_cosign_one_line_of_trees(fresh: Path) -> None:
    with serving(fresh) as (first, _), serving(fresh) as (second, _):

        def post(request: tuple[str, bytes]) -> int:
            return httpx.post(f"{request[0]}/add-checkpoint", content=request[1], timeout=SECONDS).status_code

        assert post((first, body(0, 7))) == 200
        with ThreadPoolExecutor(8) as pool:
            sizes = [(address, body(7, size)) for size in range(8, 16) for address in (first, second)]
            statuses = list(pool.map(post, sizes))
            won = [8 + at // 2 for at, status in enumerate(statuses) if status == 200]
            assert len(won) == 1
            assert set(statuses) == {200, 409}
            equal = [(address, body(won[0], 20)) for address in (first, second)] * 4
            assert sorted(set(pool.map(post, equal))) == [200, 409]
            assert set(pool.map(post, [(address, body(20, 20)) for address in (first, second)] * 4)) == {200}


def test_what_was_answered_is_known_after_the_process_was_killed(fresh: Path) -> None:
    size = 0
    for _ in range(3):
        with serving(fresh) as (address, process), httpx.Client(base_url=address) as client:
            if size:
                answer = client.post("/add-checkpoint", content=body(0, size + 1))
                assert (answer.status_code, answer.text) == (409, f"{size}\n")
            for _ in range(5):
                assert client.post("/add-checkpoint", content=body(size, size + 1)).status_code == 200
                size += 1
            process.send_signal(signal.SIGKILL)
            process.wait(SECONDS)


def test_a_witness_without_key_or_with_a_wrong_log_says_so(fresh: Path, tmp_path: Path) -> None:
    for arguments, said in (
        (("serve", tmp_path), "seal witness init"),
        (("serve", fresh, "--log", key_of(fresh)), "is no log's"),
        (("init", fresh, "--name", "again.example"), "has a key already"),
    ):
        ended = subprocess.run(
            command(*arguments), env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=SECONDS
        )
        assert ended.returncode in (1, 2)
        assert said in ended.stderr
        assert ended.stderr.count("\n") == 1


@dataclass
class HostileWitness:
    """A server that answers as it is told."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    asked: int = 0
    address: str = ""


@pytest.fixture
def hostile() -> Iterator[HostileWitness]:
    told = HostileWitness()

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.asked += 1
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(told.status)
            for name, value in told.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(told.body)))
            self.end_headers()
            self.wfile.write(told.body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = Thread(target=server.serve_forever)
    thread.start()
    told.address = f"http://127.0.0.1:{server.server_port}"
    yield told
    server.shutdown()
    thread.join()
    server.server_close()


OWN = NoteKey("witness.example/audit", SignatureType.COSIGNATURE)
TEXT = read_note(signed(7)).text
AT = datetime(2026, 7, 1, 8, tzinfo=UTC)
RIGHT = signature_line(OWN.cosignature(TEXT, AT))
OF_ANOTHER_TREE = signature_line(OWN.cosignature(read_note(signed(8)).text, AT))
FOREIGN = signature_line(NoteKey("other.example", SignatureType.COSIGNATURE).cosignature(TEXT, AT))


@pytest.mark.parametrize(
    ("status", "media_type", "content"),
    [
        (200, "text/plain", b""),
        (200, "text/plain", b"\xff"),
        (200, "text/plain", RIGHT.encode()[:-1]),
        (200, "text/plain", FOREIGN.encode()),
        (200, "text/plain", OF_ANOTHER_TREE.encode()),
        (200, "text/plain", (RIGHT + OF_ANOTHER_TREE).encode()),
        (200, "text/plain", b"x" * (LARGEST_ANSWER + 1)),
        (302, "text/plain", b""),
        (500, "text/plain", b""),
        (409, "text/plain", b"3\n"),
        (409, SIZE_TYPE, b""),
        (409, SIZE_TYPE, b"03\n"),
        (409, SIZE_TYPE, b"-3\n"),
        (409, SIZE_TYPE, b"9" * 5000),
        (409, SIZE_TYPE, b"\xff"),
    ],
)
def test_whatever_a_witness_answers_the_log_goes_on_or_says_so(
    hostile: HostileWitness, http: BoundedHttp, status: int, media_type: str, content: bytes
) -> None:
    hostile.status, hostile.headers, hostile.body = status, {"Content-Type": media_type, "Location": "/x"}, content
    with pytest.raises(Unavailable) as refused:
        HttpWitness(OWN.public, hostile.address, http).add_checkpoint(signed(7), 7, proving(7), None)
    assert not isinstance(refused.value, LogHalted)
    assert hostile.asked == 1


def test_lines_of_others_beside_its_own_are_left_out(hostile: HostileWitness, http: BoundedHttp) -> None:
    hostile.body = (FOREIGN + RIGHT).encode()
    found = HttpWitness(OWN.public, hostile.address, http).add_checkpoint(signed(7), 7, proving(7), None)
    assert found.lines == (RIGHT,)
    assert found.at == AT


def test_a_witness_that_tells_the_same_size_again_is_asked_no_more(hostile: HostileWitness, http: BoundedHttp) -> None:
    hostile.status, hostile.headers, hostile.body = 409, {"Content-Type": f"{SIZE_TYPE}; charset=utf-8"}, b"3\n"
    with pytest.raises(LogHalted):
        HttpWitness(OWN.public, hostile.address, http).add_checkpoint(signed(7), 7, proving(7), None)
    assert hostile.asked == 2


def test_a_logs_key_is_no_witnesss(http: BoundedHttp) -> None:
    with pytest.raises(NoteRefused, match="is no witness's"):
        HttpWitness(LOG.public, "http://127.0.0.1:1", http)
