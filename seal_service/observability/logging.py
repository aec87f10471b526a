"""日志: log lines on standard error: structured, in UTC, with the request they belong to, without secrets.

The program logs with the standard library; structlog renders the lines of every logger, those of other libraries too.
It is loaded with the first line: a command that logs nothing waits for nothing.
"""

from __future__ import annotations

import json
import logging
import logging.config
import multiprocessing
import sys
import threading
from typing import TYPE_CHECKING, Any, TextIO

from seal_service.observability.redaction import redacted_fields

if TYPE_CHECKING:
    from structlog.typing import EventDict, WrappedLogger

JSON, TEXT = "json", "text"
LIBRARIES_LEVEL = "WARNING"
"""Least severe messages of other libraries: below it they tell addresses and documents that are nobody's business."""
FIRST = ("time", "level", "logger", "event", "request_id")
_BROKEN = '{{"event": "a log line could not be rendered", "level": "error", "logger": "{name}", "because": "{error}"}}'

_log = logging.getLogger(__name__)


class Lines(logging.Formatter):
    """One line a record: JSON, or text for people. A record that cannot be rendered is told of without its content."""

    def __init__(self, form: str = JSON) -> None:
        super().__init__()
        self._form = form
        self._rendering: logging.Formatter | None = None

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        try:
            if self._rendering is None:
                self._rendering = _rendering(self._form)
            return self._rendering.format(record)
        except Exception as error:  # wrong arguments to a message, for one; the standard library would print them
            return _BROKEN.format(name=record.name, error=type(error).__name__)


class StandardError(logging.StreamHandler[TextIO]):
    """Writes to standard error as it is at the moment of writing."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]  # the standard library's own last resort does so too
        """Standard error."""
        return sys.stderr


def configuration(form: str, level: str) -> dict[str, Any]:
    """The whole tree of loggers of a server (logging.config.dictConfig), the HTTP server's among them."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": f"{__name__}.{Lines.__name__}", "form": form}},
        "handlers": {"stderr": {"class": f"{__name__}.{StandardError.__name__}", "formatter": "lines"}},
        "root": {"handlers": ["stderr"], "level": LIBRARIES_LEVEL},
        "loggers": {
            "seal_service": {"handlers": [], "level": level, "propagate": True},
            "uvicorn": {"handlers": [], "level": level, "propagate": True},
            # Its lines tell whole addresses and who called: personal. It asks whether anybody listens: nobody.
            "uvicorn.access": {"handlers": [], "level": "CRITICAL", "propagate": False},
        },
    }


def log_as_server(form: str, level: str) -> None:
    """Let everything that the process has to tell go through the log: loggers, warnings, errors that nobody caught."""
    logging.config.dictConfig(configuration(form, level))
    logging.captureWarnings(True)
    sys.excepthook = lambda kind, error, trace: _log.critical("uncaught error", exc_info=(kind, error, trace))
    threading.excepthook = _thread_died


def log_as_command(form: str, level: str) -> None:
    """Let what a command has to tell beside its answer go through the same lines; what listens already is left."""
    root = logging.getLogger()
    if any(isinstance(one, StandardError) for one in root.handlers):
        return
    handler = StandardError()
    handler.setFormatter(Lines(form))
    handler.setLevel(level)
    root.addHandler(handler)


def _thread_died(died: threading.ExceptHookArgs) -> None:
    name = died.thread.name if died.thread else "unknown"
    told = (died.exc_type, died.exc_value or died.exc_type(), died.exc_traceback)
    _log.critical("uncaught error in thread %s", name, exc_info=told)


def _rendering(form: str) -> logging.Formatter:
    from structlog import processors, stdlib
    from structlog.contextvars import merge_contextvars
    from structlog.dev import ConsoleRenderer
    from structlog.tracebacks import ExceptionDictTransformer

    in_json = form != TEXT
    exceptions = (
        processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False, max_frames=20))
        if in_json
        else processors.format_exc_info
    )
    return stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            stdlib.add_log_level,
            stdlib.add_logger_name,
            processors.TimeStamper(fmt="iso", utc=True, key="time"),
            stdlib.ExtraAdder(),
        ],
        processors=[
            stdlib.ProcessorFormatter.remove_processors_meta,
            merge_contextvars,
            _add_origin,
            processors.StackInfoRenderer(),
            exceptions,
            _redact if in_json else _redact_on_one_line,
            processors.JSONRenderer(_json)
            if in_json
            else ConsoleRenderer(colors=False, timestamp_key="time", exception_formatter=_as_it_is, pad_event_to=0),
        ],
    )


def _add_origin(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Which process and which worker; what every line has comes first."""
    event.pop("color_message", None)  # uvicorn's message once more, with colours
    process = multiprocessing.current_process()
    worker = process.name if multiprocessing.parent_process() else "main"
    first = {name: event.pop(name) for name in FIRST if name in event}
    return {**first, **event, "pid": process.pid, "worker": worker}


def _redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return redacted_fields(event)


def _redact_on_one_line(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """What comes from outside starts no line of its own, and moves no terminal's cursor."""
    kept = redacted_fields(event)
    return {
        name: value if name in ("exception", "stack") or not isinstance(value, str) else _printable(value)
        for name, value in kept.items()
    }


def _printable(text: str) -> str:
    return text if text.isprintable() else "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)


def _json(event: EventDict, **_options: Any) -> str:
    """With Chinese as it is, and escapes for all that could be taken for the end of a line."""
    text = json.dumps(event, ensure_ascii=False)
    return text if text.isprintable() else "".join(one if one.isprintable() else json.dumps(one)[1:-1] for one in text)


def _as_it_is(stream: TextIO, _told: Any) -> None:  # the exception is text already when it comes to the renderer
    del stream
