"""挂失 by page, sent again later: what it says stands at that moment, or is not said."""

from __future__ import annotations

from tests.acceptance.test_pages import keeper
from tests.live import LiveOffice, expect
from tests.pages import Page, Visitor


def test_a_report_that_is_sent_again_after_the_seal_was_resumed_does_not_say_that_it_is_suspended(
    office: LiveOffice,
) -> None:
    visitor = Visitor(office.city)
    visitor.sign_in(keeper(office))
    path = f"/pages/seals/{office.code}"
    fields = visitor.open(path).form(f"{path}/loss-report").fields | {"reason": "介质遗失", "certain": "yes"}
    for _ in range(2):
        page = Page(visitor.post(f"{path}/loss-report", fields))
        assert (page.path, "已挂失，停用" in page.of_id["state"]) == (f"{path}/loss-report", True)
    expect(200, office.maker.post(f"/v1/seals/{office.code}/resumption", json={"reason": "已找回"}))
    page = Page(visitor.post(f"{path}/loss-report", fields))
    assert (page.status, page.path) == (200, path)
    assert "正常使用" in page.text
    for said in ("挂失已受理", "已冻结", "不再放行"):
        assert said not in page.text
    found = expect(200, office.auditor.get("/v1/log/entries", params={"kind": "sealmgmt.suspended"}))["items"]
    assert len(found) == 1, "nor does it report another loss"
