"""Plain renderings of filings (备案), one shape for the command line and for whoever reads its JSON."""

from __future__ import annotations

import base64
import hashlib
from textwrap import wrap

from seal_service.domain.algorithms import Suite
from seal_service.domain.filing import Backlog, Filing, FilingReport
from seal_service.formats.representation import Plain, time, time_or_none


def filing(one: Filing) -> Plain:
    """备案."""
    return {
        "id": one.id,
        "entry_id": one.entry_id,
        "task": one.task.value,
        "seal_code": one.seal_code,
        "area_code": one.area_code,
        "at": time(one.at),
        "state": one.state.value,
        "attempts": one.attempts,
        "due_at": time(one.due_at),
        "failure": one.failure,
        "receipt": one.receipt,
        "acknowledged_at": time_or_none(one.acknowledged_at),
    }


def condition(registry: str | None, area_code: str | None, backlog: Backlog) -> Plain:
    """备案情况."""
    return {
        "registry": registry,
        "area_code": area_code,
        "waiting": backlog.waiting,
        "seals_refused": backlog.refused,
        "oldest_at": time_or_none(backlog.oldest_at),
    }


def report(one: FilingReport) -> Plain:
    """备案对账报告."""
    return {
        "at": time(one.at),
        "registry": one.registry,
        **{state.value: count for state, count in one.counts.items()},
        "acknowledged_in_period": one.acknowledged_in_period,
        "seals_refused": one.backlog.refused,
        "oldest_at": time_or_none(one.backlog.oldest_at),
        "entries_without_filing": list(one.entries_without_filing),
        "seals_compared": one.seals_compared,
        "seals_differing": list(one.seals_differing),
        "comparison": one.comparison,
    }


def public_key(suite: Suite, public_key_info: bytes) -> Plain:
    """上报密钥, its public half as PEM (RFC 7468, 13)."""
    lines = wrap(base64.b64encode(public_key_info).decode(), 64)
    pem = "\n".join(("-----BEGIN PUBLIC KEY-----", *lines, "-----END PUBLIC KEY-----"))
    return {"suite": suite.value, "sha256": hashlib.sha256(public_key_info).hexdigest(), "public_key": pem}
