"""seal notifications: 通知, and what could not be delivered."""

from __future__ import annotations

from typing import Annotated

import typer

from seal_service.cli.options import FIRST_PAGE, AsJson, Cursor, Limit, example, noun
from seal_service.cli.output import print_fields, print_page
from seal_service.cli.session import session
from seal_service.domain.notification import NotificationState
from seal_service.domain.paging import PageRequest
from seal_service.formats import representation
from seal_service.usecases.deliver_notifications import ListNotifications, RetryNotification

app = noun("通知: what others are told, and what could not be delivered.")


@app.command("list", epilog=example("seal notifications list --state dead"))
def list_(
    state: Annotated[NotificationState | None, typer.Option(help="`dead`: given up.")] = None,
    limit: Limit = FIRST_PAGE,
    cursor: Cursor = None,
    as_json: AsJson = False,
) -> None:
    """通知列表, newest first."""
    command = ListNotifications(state=state, page=PageRequest(limit=limit, cursor=cursor))
    with session() as at:
        page = at.service.life.list_notifications(at.caller, command)
    columns = ("id", "kind", "subject", "channel", "target", "state", "attempts", "last_error")
    print_page(page, representation.notification, columns, as_json=as_json)


@app.command(epilog=example("seal notifications retry ID"))
def retry(
    notification_id: Annotated[str, typer.Argument(metavar="ID", help="One that was given up.")],
    as_json: AsJson = False,
) -> None:
    """重发: try anew what was given up."""
    with session() as at:
        one = at.service.life.retry_notification(at.caller, RetryNotification(notification_id=notification_id))
    print_fields(representation.notification(one), as_json=as_json)
