"""指标: what an operator sees of a running service, and who sees it."""

from __future__ import annotations

import ipaddress
import re
import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import yaml

from seal_service import bootstrap
from seal_service.api.problems import OF_ERRORS
from seal_service.config import Settings
from seal_service.domain.access import PUBLIC_CALLER, Caller
from seal_service.domain.errors import NotFound
from seal_service.observability.metrics import CONDITION_SECONDS
from seal_service.usecases.read_metrics import ReadMetrics
from tests.live import DOCUMENT, LiveCity, LiveOffice, expect, live_city, refused
from tests.metrics import Scrape

DOCS = Path(__file__).parents[2] / "docs"


def scraped(city: LiveCity, **headers: str) -> Scrape:
    return Scrape(city.public.get("/metrics", headers=headers))


def test_the_time_and_the_end_of_every_use_is_measured(office: LiveOffice) -> None:
    city = office.city
    before = scraped(city)
    assert office.use("measured-1", level="B-LTA").status_code == 201
    assert office.use("measured-1", level="B-LTA").status_code == 200
    assert office.use("measured-2", scenario="nothing.granted").status_code == 403
    assert office.use("measured-3", content=b"no document").status_code == 415
    after = scraped(city)
    for step, times in (("reserve", 3), ("authorize", 2), ("seal", 1), ("check", 1), ("keep", 1), ("complete", 1)):
        assert before.value("seal_use_step_seconds_count", step=step) == 0
        assert after.value("seal_use_step_seconds_count", step=step) in (times, times + 1), step
    assert after.value("seal_use_step_seconds_sum", step="seal") > after.value("seal_use_step_seconds_sum", step="keep")
    assert after.value("seal_uses_total", result="completed", level="B-LTA") == 1
    assert after.value("seal_uses_total", result="replayed", level="B-LTA") == 1
    assert after.value("seal_uses_total", result="authorization_denied", level="none") == 1
    assert after.total("seal_uses_total") in (3, 4)  # what is no document may not be a use at all
    stamped = after.value("seal_timestamp_request_seconds_count", authority="embedded", outcome="answered")
    assert stamped == 2, "one in the signature, one for the archive"
    assert after.total("seal_timestamp_request_seconds_count", outcome="failed") == 0


def test_requests_are_counted_by_template_and_never_by_what_a_client_writes(city: LiveCity) -> None:
    city.public.get("/v1/public/seals/99990000000001?name=x")
    city.public.get("/v1/public/seals/99990000000002?name=x")
    for path in ("/李样例", "/a", "/b?c=d"):
        city.public.get(path)
    city.public.request("PROPFIND", "/coffee")
    told = scraped(city)
    count = "seal_http_request_seconds_count"
    assert told.value(count, method="GET", route="/v1/public/seals/{seal_code}", status="404") == 2
    assert told.value(count, method="GET", route="none", status="404") == 3
    assert told.total(count, method="other") == 1
    assert told.value("seal_http_requests_in_flight") == 1, "the one that asks"
    for personal in ("李样例", "9999000000000", "PROPFIND", "coffee"):
        assert personal not in told.text


def test_a_client_that_goes_away_is_no_request_in_flight(city: LiveCity) -> None:
    host, port = httpx.URL(city.url).host, httpx.URL(city.url).port
    assert port is not None
    with socket.create_connection((host, port)) as gone:
        gone.sendall(
            b"POST /v1/verifications HTTP/1.1\r\nHost: x\r\nContent-Type: application/pdf\r\nContent-Length: 9\r\n\r\nh"
        )
        assert _in_flight(city, 2), "the half request and the one that asks"
    assert _in_flight(city, 1), "the one that asks"


def _in_flight(city: LiveCity, expected: int) -> bool:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if scraped(city).value("seal_http_requests_in_flight") == expected:
            return True
    return False


def test_what_the_service_stands_on_is_told(office: LiveOffice) -> None:
    told = scraped(office.city)
    assert told.value("seal_ready", dependency="schema") == 1
    assert told.value("seal_ready", dependency="authority:issuing") == 1
    days = told.value("seal_certificate_seconds_left", certificate="ocsp") / 86_400
    assert 1000 < days < 1200
    assert told.value("seal_seals_expiring") == 0
    assert told.value("seal_processes") == 1
    assert told.value("process_resident_memory_bytes") > 50 << 20
    assert told.value("process_cpu_seconds_total") > 0
    assert told.value("seal_database_connections_limit", pool="writer") >= 1
    assert told.value("seal_database_connections_in_use", pool="writer") == 0
    assert set(told.families["seal_build_info"].samples[0].labels) == {"version", "python"}


def test_a_seal_that_expires_soon_is_counted(tmp_path: Path) -> None:
    with live_city(tmp_path / "home") as city:
        office = LiveOffice(city)
        city.clock.forward(timedelta(days=1094))
        service = bootstrap.build(Settings(home=tmp_path / "home", keys=tmp_path / "home" / "keys"), clock=city.clock)
        try:
            told = service.read_metrics(
                Caller(account_id=None, name="monitoring", address="127.0.0.1"), ReadMetrics()
            ).decode()
        finally:
            service.close()
        assert "seal_seals_expiring 1.0" in told
        assert office.code not in told


def test_the_condition_is_asked_for_once_in_a_while_and_by_one_at_a_time(city: LiveCity) -> None:
    asked = threading.Barrier(4)
    read = "seal_http_request_seconds_count"
    answers: list[Scrape] = []

    def ask() -> None:
        asked.wait(30)
        answers.append(scraped(city))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert len(answers) == 4
    assert CONDITION_SECONDS >= 1
    assert scraped(city).value(read, method="GET", route="/metrics", status="200") == 4


def test_a_database_that_is_away_is_told_with_all_other_numbers(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with live_city(home) as city:
        (home / "seal.db").rename(home / "away.db")
        city.service.close()  # its connections, so that it has to open the file
        try:
            told = scraped(city)
        finally:
            (home / "away.db").rename(home / "seal.db")
        assert told.value("seal_ready", dependency="database") == 0
        assert "seal_seals_expiring" not in told.families
        assert told.total("seal_http_request_seconds_count") > 0


@pytest.fixture(scope="module")
def behind_a_proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveCity]:
    """The proxy is on this machine, and is trusted."""
    trusted = (ipaddress.IPv4Address("127.0.0.1"),)
    with live_city(tmp_path_factory.mktemp("proxied") / "home", trusted_proxies=trusted) as served:
        yield served


def test_a_trusted_proxy_lends_nobody_its_address(behind_a_proxy: LiveCity) -> None:
    """The numbers are for this machine's monitoring, not for the public behind the proxy on this machine."""
    get = behind_a_proxy.public.get
    for forwarded in ("203.0.113.7", "127.0.0.1, 203.0.113.7", "::1, 203.0.113.7", "unknown", ""):
        refused(404, "not-found", get("/metrics", headers={"X-Forwarded-For": forwarded or "nonsense"}))
    refused(404, "not-found", get("/metrics", headers={"Via": "1.1 proxy"}))
    scraped(behind_a_proxy)
    scraped(behind_a_proxy, **{"X-Forwarded-For": "::1"})


def test_a_proxy_that_is_not_trusted_lends_nobody_its_address(shared_city: LiveCity) -> None:
    """Without it, forgetting SEAL_TRUSTED_PROXIES would open the numbers to everyone."""
    for field in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Forwarded-Host", "Via"):
        refused(404, "not-found", shared_city.public.get("/metrics", headers={field: "127.0.0.1"}))
    scraped(shared_city)


def test_only_the_named_networks_are_answered(tmp_path: Path) -> None:
    networks = (ipaddress.ip_network("192.0.2.0/24"), ipaddress.ip_network("2001:db8::/32"))
    with live_city(tmp_path / "home", metrics_addresses=networks) as city:
        refused(404, "not-found", city.public.get("/metrics"))
        read = city.service.read_metrics
        for address in ("192.0.2.9", "2001:db8::1", "::ffff:192.0.2.9"):
            assert read(Caller(account_id=None, name="", address=address), ReadMetrics()).startswith(b"# HELP")
        for other in ("127.0.0.1", "192.0.3.1", "::ffff:192.0.3.1", "", "localhost", None):
            with pytest.raises(NotFound):
                read(Caller(account_id=None, name="", address=other), ReadMetrics())
        with pytest.raises(NotFound):
            read(PUBLIC_CALLER, ReadMetrics())


def test_asking_for_numbers_takes_nothing_from_a_strangers_rate(tmp_path: Path) -> None:
    with live_city(tmp_path / "home", requests_per_minute=20) as city:
        for _ in range(30):
            assert "ratelimit" not in city.public.get("/metrics").headers
        expect(200, city.public.get("/readyz"))


def test_the_alerts_that_are_proposed_are_about_metrics_and_results_that_there_are() -> None:
    page = (DOCS / "how-to" / "monitor.md").read_text(encoding="utf-8")
    listed = (DOCS / "reference" / "metrics.md").read_text(encoding="utf-8")
    known = set(re.findall(r"`((?:seal|process)_\w+)`", listed))
    named = {re.sub("_(bucket|count|sum)$", "", one) for one in re.findall(r"\bseal_(?!service\b)\w+", page)}
    assert len(known) > 15
    assert named - known == set()
    rules = yaml.safe_load(page.split("```yaml\n")[2].split("```")[0])["groups"][0]["rules"]
    assert len(rules) == len({one["alert"] for one in rules}) > 5
    codes = {kind.code() for kind in OF_ERRORS}
    for pattern in re.findall(r'result=~"([^"]+)"', page):
        for one in pattern.split("|"):
            assert any(re.fullmatch(one, code) for code in codes), one


def test_the_numbers_are_no_json_and_are_kept_by_no_cache(shared_city: LiveCity) -> None:
    answer = shared_city.public.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert DOCUMENT.name not in answer.text
