"""The pages beside the API: one application, one edge, two doors."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from seal_service.web.refusals import refused_page

STATIC = "/pages/static"


def add_pages(app: FastAPI) -> None:
    """The style sheet, and a page for an address under /pages that is none; elsewhere the API answers as ever."""
    app.mount(STATIC, StaticFiles(directory=Path(__file__).parent / "static"))
    otherwise = app.exception_handlers[HTTPException]

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class alone
        answer: Response = await otherwise(request, error)  # type: ignore[misc]  # the API's own is a coroutine
        if not request.url.path.startswith("/pages"):
            return answer
        request.state.has_session = False
        return await run_in_threadpool(refused_page, request, error)

    app.add_exception_handler(HTTPException, refused)
