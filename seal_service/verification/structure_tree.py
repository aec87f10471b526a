"""结构树: the logical structure may grow by what a new signature field adds, and change in nothing else.

pyHanko refuses every change of it, so that documents of office programs, signed twice in a viewer, would look altered.
The tree is not shown; what it says in place of content (ActualText, Alt) must stay as it was (ISO 32000-2, 14.7).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import HistoricalResolver
from pyhanko.sign.diff_analysis import SuspiciousModification
from pyhanko.sign.diff_analysis.rules_api import ReferenceUpdate, WhitelistRule

_NODES = frozenset({"/Kids", "/Nums", "/Names", "/Limits"})
_NUMBERS = frozenset({"/Limits", "/ParentTreeNextKey"})
_MAPS = frozenset({"/RoleMap", "/ClassMap"})
_GROWING = frozenset({"/K", "/Kids", "/Nums", "/Names", "/ParentTree", "/IDTree"})
_FURTHER = frozenset({"/StructTreeRoot", "/MCR", "/OBJR"})
_MOST_NODES = 200_000


class StructureTreeRule(WhitelistRule):
    """Clears new and replaced objects of the structure tree that only grew."""

    def apply(self, old: HistoricalResolver, new: HistoricalResolver) -> Iterable[ReferenceUpdate]:
        """The references cleared; SuspiciousModification for a change that is no growth."""
        before, after = _entry(old), _entry(new)
        if after is None:
            if before is not None:
                raise SuspiciousModification("The structure tree was removed")
            return
        yield from _grown(old, new, before, after)


def _entry(revision: HistoricalResolver) -> Any:
    root = revision.root
    return root.raw_get("/StructTreeRoot") if "/StructTreeRoot" in root else None


def _grown(old: HistoricalResolver, new: HistoricalResolver, before: Any, after: Any) -> Iterator[ReferenceUpdate]:
    changed = new.explicit_refs_in_revision()
    seen: set[generic.Reference] = set()
    stack = [(before, after)]
    for _ in range(_MOST_NODES):
        if not stack:
            return
        was, now = stack.pop()
        if isinstance(now, generic.IndirectObject):
            reference = now.reference
            if reference in seen or reference not in changed:
                continue
            seen.add(reference)
            was, now = _existing(old, was, reference), new(reference)
            stack.extend(_compare(old, was, now))
            yield ReferenceUpdate(reference)
        else:
            stack.extend(_compare(old, was, now))
    raise SuspiciousModification("The structure tree is too large to be compared")


def _existing(old: HistoricalResolver, was: Any, reference: generic.Reference) -> Any:
    """What the object was before; a direct object may have been moved into a new one."""
    if not old.is_ref_unassignable(reference):
        value = old(reference)
        if not isinstance(value, generic.NullObject):
            return value
    return None if isinstance(was, generic.IndirectObject) else was


def _compare(old: HistoricalResolver, was: Any, now: Any) -> Iterator[tuple[Any, Any]]:
    """Refuse what is no growth; else the pairs to compare further."""
    if isinstance(was, generic.IndirectObject):
        was = old(was.reference)
    if isinstance(now, generic.StreamObject) or isinstance(was, generic.StreamObject):
        raise SuspiciousModification("A stream stands in the structure tree")
    if isinstance(now, generic.ArrayObject):
        yield from _compare_arrays(was, now)
    elif isinstance(now, generic.DictionaryObject):
        yield from _compare_nodes(was, now)
    elif was is not None and was != now:
        raise SuspiciousModification("A value of the structure tree was replaced")


def _compare_arrays(was: Any, now: generic.ArrayObject) -> Iterator[tuple[Any, Any]]:
    """The old items must stand in the new array, in their order; the others are new."""
    items = list(was) if isinstance(was, generic.ArrayObject) else [] if was is None else [was]
    left = iter(_raw(was) if isinstance(was, generic.ArrayObject) else items)
    expected = next(left, None)
    for item in _raw(now):
        if expected is not None and item == expected:
            yield item, item
            expected = next(left, None)
        else:
            yield None, item
    if expected is not None:
        raise SuspiciousModification("An element was taken out of the structure tree")


def _raw(array: generic.ArrayObject) -> Iterator[Any]:
    return (array.raw_get(position) for position in range(len(array)))


def _compare_nodes(was: Any, now: generic.DictionaryObject) -> Iterator[tuple[Any, Any]]:
    if not _is_node(now):
        raise SuspiciousModification("An object stands in the structure tree that does not belong there")
    if was is not None and not isinstance(was, generic.DictionaryObject):
        was = generic.DictionaryObject({generic.NameObject("/K"): was}) if "/K" in now else None
    before = was if was is not None else generic.DictionaryObject()
    for key in before:
        if key not in now:
            raise SuspiciousModification(f"{key} was taken out of the structure tree")
    for key in now:
        old_value = before.raw_get(key) if key in before else None
        new_value = now.raw_get(key)
        if key in _NUMBERS:
            continue
        if key in _MAPS:
            _only_added(old_value, new_value)
        elif key in _GROWING:
            yield old_value, new_value
        elif was is not None and old_value != new_value:
            raise SuspiciousModification(f"{key} was changed in the structure tree")


def _is_node(value: generic.DictionaryObject) -> bool:
    """A structure element, the root, a reference to content, or a node of a number tree."""
    return value.get("/Type") in _FURTHER or ("/S" in value and "/FT" not in value) or set(value) <= _NODES


def _only_added(was: Any, now: Any) -> None:
    if was is None or was == now:
        return
    both = isinstance(was, generic.DictionaryObject) and isinstance(now, generic.DictionaryObject)
    if not both or any(key not in now or now.raw_get(key) != was.raw_get(key) for key in was):
        raise SuspiciousModification("A map of the structure tree was changed")
