"""/v1/notifications: what others are told, and what could not be delivered."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from seal_service.api.auth import Calling, GuardedRoute
from seal_service.api.dependencies import Paging, Serving
from seal_service.api.problems import refusals
from seal_service.api.schemas.common import Identifier
from seal_service.api.schemas.life import NotificationPage, NotificationView
from seal_service.domain import errors as e
from seal_service.domain.access import Caller, Permission
from seal_service.domain.notification import NotificationState
from seal_service.usecases.deliver_notifications import ListNotifications, RetryNotification

router = APIRouter(route_class=GuardedRoute, prefix="/v1/notifications", tags=["通知 notifications"])


@router.get("", operation_id="list_notifications", summary="通知列表: notifications, newest first")
def list_notifications(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("life.list_notifications", Permission.READ_NOTIFICATIONS))],
    page: Paging,
    state: Annotated[NotificationState | None, Query(description="`dead`: given up, waiting for a person.")] = None,
) -> NotificationPage:
    """With the last error of each."""
    found = service.life.list_notifications(caller, ListNotifications(state=state, page=page))
    return NotificationPage.model_validate(found)


@router.post(
    "/{notification_id}/retry",
    operation_id="retry_notification",
    summary="重发: try anew what was given up",
    responses=refusals(e.NotificationNotFound, e.Conflict),
)
def retry_notification(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("life.retry_notification", Permission.RETRY_NOTIFICATION))],
    notification_id: Identifier,
) -> NotificationView:
    """From the first attempt on."""
    command = RetryNotification(notification_id=notification_id)
    return NotificationView.model_validate(service.life.retry_notification(caller, command))
