"""The published log through HTTP: receipts, proofs that a stranger verifies, checkpoint, tiles, consistency."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from seal_service.formats.base64_text import decoded
from seal_service.formats.checkpoint import open_checkpoint
from seal_service.formats.merkle_leaf import leaf_hash
from seal_service.formats.named_intents import named_intents
from seal_service.formats.receipt import open_receipt
from seal_service.log.merkle import consistency_holds, root_of
from seal_service.log.proofs import read_proof, verified_proof
from seal_service.log.tiles import entries_of
from tests.live import LiveOffice, expect, live_city, refused
from tests.live_log import LiveLog, live_log

JSON = "application/json"
WAIT_SECONDS, THREADS = 5, 2


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("logged") / "home"


@pytest.fixture(scope="module")
def office(home: Path) -> Iterator[LiveOffice]:
    with live_city(home, log_wait_seconds=WAIT_SECONDS, worker_threads=THREADS) as city:
        yield LiveOffice(city)


@pytest.fixture(scope="module")
def log(home: Path, office: LiveOffice) -> Iterator[LiveLog]:
    """Its log, which nobody has published at first."""
    assert office.code
    with live_log(home) as opened:
        yield opened


def entry_of(content: str, log: LiveLog) -> dict[str, Any]:
    """The entry of a proof that a stranger has verified."""
    proof = read_proof(content.encode())
    assert proof.extra is not None
    verified_proof(proof, leaf_hash(proof.extra), log.key)
    entry: dict[str, Any] = json.loads(proof.extra)
    return entry


def test_until_the_log_is_published_a_use_is_receipted_without_a_time(office: LiveOffice, log: LiveLog) -> None:
    answer = office.use("early", accept=JSON, wait="published")
    receipt = expect(201, answer)
    assert (receipt["in_tree_by"], receipt["proof"]) == (None, None)
    assert answer.headers["retry-after"] == "1"
    told = open_receipt(receipt["note"].encode(), log.key).receipt
    assert (told.use_id, told.in_tree_by) == (receipt["use_id"], None)
    refused(404, "log-not-published", office.city.public.get("/v1/log/checkpoint"))
    refused(404, "log-not-published", office.city.public.get("/v1/log/consistency?from=1"))
    refused(404, "log-not-published", office.auditor.get(f"/v1/log/proofs/{told.entry_id}"))


def test_every_use_answers_with_a_receipt_that_the_logs_key_signed(office: LiveOffice, log: LiveLog) -> None:
    log.publish()
    answer = office.use("raw")
    assert answer.status_code == 201
    header = answer.headers["seal-receipt"]
    told = open_receipt(base64.b64decode(header.strip(":")), log.key).receipt
    assert told.sealed_sha256 == hashlib.sha256(answer.content).hexdigest()
    assert told.entry_id == answer.headers["seal-log-entry"]
    assert told.in_tree_by is not None
    assert (told.in_tree_by - told.issued_at).total_seconds() == 10
    assert [one.leaf_hash for one in named_intents(answer.content)] == [told.intent_leaf_hash]
    assert f'</v1/log/proofs/{told.entry_id}>; rel="urn:seal:log-proof"' in answer.headers["link"]
    assert "retry-after" not in answer.headers

    again = office.use("raw")
    assert (again.status_code, again.headers["seal-receipt"]) == (200, header)
    receipt = expect(200, office.system.get(f"{answer.headers['location']}/receipt"))
    assert receipt["note"].encode() == base64.b64decode(header.strip(":"))
    assert (receipt["completed"]["leaf_hash"], receipt["proof"]) == (told.leaf_hash.hex(), None)


def test_whoever_waits_gets_the_proof_as_soon_as_the_log_is_published(office: LiveOffice, log: LiveLog) -> None:
    """Several at once, and again when they ask for the receipt or repeat the request."""
    answers: list[dict[str, Any]] = []

    def use(number: int) -> None:
        answers.append(expect(201, office.use(f"wait-{number}", accept=JSON, wait="published")))

    waiting = [threading.Thread(target=use, args=(number,)) for number in range(4)]
    for one in waiting:
        one.start()
    while any(one.is_alive() for one in waiting):
        time.sleep(0.3)
        log.publish()
    assert len(answers) == 4
    for answer in answers:
        entry = entry_of(answer["proof"], log)
        assert (entry["kind"], entry["id"]) == ("seal.completed", answer["completed"]["entry_id"])
        assert entry["intent_leaf_hash"] == answer["intent"]["leaf_hash"]
        assert entry["use_id"] == answer["use_id"]
        address = f"/v1/seals/{office.code}/uses/{answer['use_id']}/receipt"
        receipt = expect(200, office.system.get(address, params={"wait": "published"}))
        assert entry_of(receipt["proof"], log) == entry
        assert receipt["note"] == answer["note"]
    repeated = expect(200, office.use("wait-1", accept=JSON, wait="published"))
    assert repeated["proof"]


def test_whoever_has_document_and_proof_has_them_judged_together(office: LiveOffice, log: LiveLog) -> None:
    """With this log's key, which nobody has to send, or with one that the caller sends as his own word."""
    sealed = office.use("together")
    other = office.use("another")
    log.publish()
    proof, of_another = (
        expect_text(office.auditor.get(f"/v1/log/proofs/{one.headers['seal-log-entry']}")) for one in (sealed, other)
    )

    def judged(**parts: str) -> tuple[str, str, str]:
        files = {"document": ("sealed.pdf", sealed.content, "application/pdf")}
        answer = office.city.public.post("/v1/verifications", files={**files, **as_files(parts)})
        (signature,) = expect(200, answer)["signatures"]
        (check,) = [one for one in signature["checks"] if one["id"] == "logged"]
        return signature["indication"], check["outcome"], check["message"]["en"]

    assert judged(proof=proof)[:2] == ("TOTAL_PASSED", "pass")
    assert judged(proof=f"{of_another}{proof}")[:2] == ("TOTAL_PASSED", "pass"), "of several it is one"
    assert judged(proof=of_another)[:2] == ("INDETERMINATE", "unknown")
    assert judged(proof="no proof")[:2] == ("INDETERMINATE", "unknown")
    given = judged(proof=proof, log_key=log.key.text)
    assert given[:2] == ("TOTAL_PASSED", "pass")
    assert "by the given key" in given[2]
    assert "by the given key" not in judged(proof=proof)[2]

    for parts, refusal in (
        ({"proof": proof, "log_key": "no key"}, (422, "note-refused")),
        ({"proof": proof * 51}, (422, "invalid-input")),
        ({"proof": proof, "log_key": "a+b+c\n" * 11}, (422, "invalid-input")),
        ({"proof": "x" * 300_000}, (413, "content-too-large")),
    ):
        files = {"document": ("sealed.pdf", sealed.content, "application/pdf"), **as_files(parts)}
        refused(*refusal, office.city.public.post("/v1/verifications", files=files))


def as_files(parts: dict[str, str]) -> dict[str, tuple[str, bytes, str]]:
    return {name: (name, text.encode(), "text/plain") for name, text in parts.items()}


def expect_text(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    return answer.text


def test_when_it_takes_too_long_the_answer_comes_without_the_proof(office: LiveOffice, log: LiveLog) -> None:
    """More wait than there are threads, and the server still answers others."""
    answers: list[httpx.Response] = []

    def use(number: int) -> None:
        accept = (JSON, "application/pdf")[number % 2]
        answers.append(office.use(f"late-{number}", accept=accept, wait="published"))

    def completed() -> int:
        query = {"kind": "seal.completed", "limit": "500"}
        return len(expect(200, office.auditor.get("/v1/log/entries", params=query))["items"])

    before, began = completed(), time.monotonic()
    waiting = [threading.Thread(target=use, args=(number,)) for number in range(2 * THREADS)]
    for one in waiting:
        one.start()
    while completed() < before + len(waiting):
        assert all(one.is_alive() for one in waiting), "waiting holds a thread: the others are not sealed meanwhile"
    for one in waiting:
        one.join()
    assert WAIT_SECONDS <= time.monotonic() - began < 4 * WAIT_SECONDS
    for answer in answers:
        assert (answer.status_code, answer.headers["retry-after"]) == (201, "1")
        assert "seal-receipt" in answer.headers
    assert [one.json()["proof"] for one in answers if one.headers["content-type"] == JSON] == [None] * THREADS
    entry_id = answers[0].headers["seal-log-entry"]
    refused(409, "entry-not-published", office.system.get(f"/v1/log/proofs/{entry_id}"))
    log.publish()
    assert entry_of(office.system.get(f"/v1/log/proofs/{entry_id}").text, log)["id"] == entry_id
    for kind in ("account.refused", "sealmgmt.refused"):
        assert expect(200, office.auditor.get("/v1/log/entries", params={"kind": kind}))["items"] == []


def test_what_answers_wait_for_is_named_and_nothing_else(office: LiveOffice) -> None:
    refused(422, "invalid-request", office.use("odd", wait="forever"))
    document = office.use("multipart-source").content
    assert office.use_multipart("multipart", document).status_code == 201
    refused(422, "invalid-request", office.use_multipart("multipart-wait", document, wait="published"))


def test_the_proof_of_an_entry_is_for_whoever_it_concerns(office: LiveOffice, log: LiveLog) -> None:
    entry_id = office.use("mine").headers["seal-log-entry"]
    log.publish()
    address = f"/v1/log/proofs/{entry_id}"
    _, stranger = office.city.account("另一系统", "business_system", unit_id=office.city.unit(office.maker, 7)["id"])
    for client in (office.auditor, office.system, office.keeper):
        answer = client.get(address)
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.headers["content-disposition"] == f'attachment; filename="{entry_id}.tlog-proof"'
        assert entry_of(answer.text, log)["id"] == entry_id
    refused(404, "log-entry-not-found", stranger.get(address))
    refused(403, "permission-denied", office.maker.get(address))
    refused(401, "unauthenticated", office.city.public.get(address))
    bare = office.auditor.get(address, params={"with_entry": "false"}).content
    assert read_proof(bare).extra is None
    assert len(bare) <= 2048


def test_a_citizen_with_the_sealed_document_proves_it_without_an_account(office: LiveOffice, log: LiveLog) -> None:
    answer = office.use("citizen")
    log.publish()
    (named,) = named_intents(answer.content)
    public = office.city.public
    query = {"intent_leaf_hash": named.leaf_hash.hex()}
    completed = entry_of(public.get("/v1/log/proofs", params=query).text, log)
    intent = entry_of(public.get("/v1/log/proofs", params=query | {"entry": "intent"}).text, log)
    assert (completed["kind"], completed["intent_leaf_hash"]) == ("seal.completed", named.leaf_hash.hex())
    assert (intent["kind"], intent["id"]) == ("seal.intent", completed["intent_id"])
    refused(404, "log-entry-not-found", public.get("/v1/log/proofs", params={"intent_leaf_hash": "0" * 64}))
    refused(422, "invalid-request", public.get("/v1/log/proofs"))


def test_anyone_reads_the_checkpoint_and_sees_that_the_log_only_grows(office: LiveOffice, log: LiveLog) -> None:
    log.publish()
    public = office.city.public
    answer = public.get("/v1/log/checkpoint")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    earlier = open_checkpoint(answer.content, log.key).checkpoint
    office.use("growing")
    log.publish()
    tree = open_checkpoint(public.get("/v1/log/checkpoint").content, log.key).checkpoint
    assert tree.root == root_of(leaf_hash(one) for one in log.entries())
    proof = expect(200, public.get("/v1/log/consistency", params={"from": earlier.size}))
    assert (proof["from"], proof["to"]) == (earlier.size, tree.size)
    path = [decoded(one) for one in proof["hashes"]]
    assert consistency_holds(earlier.size, tree.size, path, earlier.root, tree.root)
    refused(422, "invalid-input", public.get("/v1/log/consistency", params={"from": 9, "to": 3}))
    refused(422, "invalid-request", public.get("/v1/log/consistency", params={"from": 0}))
    beyond = refused(404, "log-not-published", public.get("/v1/log/consistency", params={"from": 1, "to": 10**12}))
    assert beyond["size"] == tree.size


def test_tiles_are_files_for_auditors_and_no_other_path_is(office: LiveOffice, log: LiveLog) -> None:
    log.publish()
    answer = office.auditor.get(f"/v1/log/tile/entries/000.p/{log.size}")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert "immutable" not in answer.headers["cache-control"]
    assert entries_of(answer.content, log.size) == log.entries()
    for path in ("0/001", "0/0", "entries/000.p/256", "0/000/../../checkpoint", "%2e%2e/checkpoint", "9/000", "x"):
        assert office.auditor.get(f"/v1/log/tile/{path}").status_code == 404
    refused(403, "permission-denied", office.system.get("/v1/log/tile/0/000"))
    refused(401, "unauthenticated", office.city.public.get("/v1/log/tile/0/000"))
