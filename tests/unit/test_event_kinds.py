"""日志类别: what is called what, for good."""

from __future__ import annotations

import re

from seal_service.domain.events import RESERVED_KINDS, EventKind


def test_reserved_kinds_are_nobodys() -> None:
    assert RESERVED_KINDS.isdisjoint(set(EventKind))


def test_every_kind_is_named_by_a_thing_and_what_became_of_it() -> None:
    assert [one for one in (*EventKind, *RESERVED_KINDS) if not re.fullmatch("[a-z]+[.][a-z0-9_]+", one)] == []
