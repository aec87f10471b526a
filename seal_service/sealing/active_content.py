"""活动内容: whether an object of a document runs, launches, fetches or hides something.

Every object of the file is looked at, reachable or not: a later revision needs nothing but a reference to bring an
unreachable one to life, which is how shadow attacks on signed documents are prepared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pikepdf

from seal_service.formats.pdf import is_mapping

JAVASCRIPT = "javascript"
"""Scripts: JavaScript actions and name tree, rendition scripts, scripts of 3D and rich media."""
LAUNCH = "launch"
"""Actions that start a program or open a file."""
EXTERNAL = "external"
"""What is taken from or sent to elsewhere: remote go-to, form submission and import, external streams, files and
reference XObjects, and links that are followed without a click. A link that is clicked is an ordinary link."""
HIDDEN_LAYERS = "hidden_layers"
"""Optional content that is off by default, depends on print or view, or is switched by an action."""

KINDS = (JAVASCRIPT, LAUNCH, EXTERNAL, HIDDEN_LAYERS)

_LONGEST_ACTION_CHAIN = 100
_SUSPECT = re.compile(
    rb"/(?:JS|JavaScript|OnInstantiate|RichMedia|Launch|GoToR|GoToE|SubmitForm|ImportData|Thread|AA|OpenAction|F|FFilter"
    rb"|FS|Filespec|Ref|OPI|Movie|MCD|SetOCGState|OCMD)(?![A-Za-z0-9])"
)
"""Names that make an object worth looking into; qpdf writes names in their one normal form."""

_ACTIONS = {
    "/JavaScript": JAVASCRIPT,
    "/Launch": LAUNCH,
    "/GoToR": EXTERNAL,
    "/SubmitForm": EXTERNAL,
    "/ImportData": EXTERNAL,
    "/SetOCGState": HIDDEN_LAYERS,
}


def kinds_in(indirect: pikepdf.Object) -> set[str]:
    """The kinds of active content in one indirect object and the direct objects within it."""
    stream = indirect if isinstance(indirect, pikepdf.Stream) else None
    source = stream.stream_dict.unparse(resolved=True) if stream is not None else indirect.unparse(resolved=True)
    if not _SUSPECT.search(source):
        return set()
    found: set[str] = set()
    waiting: list[object] = [indirect]
    while waiting:
        value = waiting.pop()
        if is_mapping(value):
            found.update(_kinds_of_mapping(value))
            children: list[object] = [child for _, child in value.items()]
        elif isinstance(value, pikepdf.Array):
            children = list(value)
        else:
            continue
        waiting.extend(child for child in children if isinstance(child, pikepdf.Object) and not child.is_indirect)
    return found


def _kinds_of_mapping(mapping: pikepdf.Object) -> Iterator[str]:
    keys = set(mapping.keys())
    action = _name(mapping, "/S")
    subtype = _name(mapping, "/Subtype")
    if keys & {"/JS", "/JavaScript", "/OnInstantiate"} or subtype == "/RichMedia":
        yield JAVASCRIPT
    if action in _ACTIONS:
        yield _ACTIONS[action]
    if action in ("/GoToE", "/Thread") and "/F" in keys:
        yield EXTERNAL
    if isinstance(mapping, pikepdf.Stream) and keys & {"/F", "/FFilter"}:
        yield EXTERNAL
    if keys & {"/OPI"} or ("/Ref" in keys and subtype == "/Form") or _name(mapping, "/FS") == "/URL":
        yield EXTERNAL
    if "/EF" not in keys and (_name(mapping, "/Type") in ("/Filespec", "/F") or "/UF" in keys):
        yield EXTERNAL
    if _is_string(mapping.get("/F")) and ("/Poster" in keys or "/Aspect" in keys):
        yield EXTERNAL  # a movie dictionary (ISO 32000-1, 13.4), which has no type of its own
    if action == "/MCD" and _is_string(mapping.get("/D")):
        yield EXTERNAL
    if _name(mapping, "/Type") == "/OCMD" and (_name(mapping, "/P") in ("/AllOff", "/AnyOff") or "/VE" in keys):
        yield HIDDEN_LAYERS
    if any(_follows_a_link(started) for started in _started_without_click(mapping)):
        yield EXTERNAL


def _started_without_click(mapping: pikepdf.Object) -> Iterator[object]:
    """The actions that opening, printing or moving about starts (ISO 32000-2, 12.6.3)."""
    yield mapping.get("/OpenAction")
    triggers = mapping.get("/AA")
    if is_mapping(triggers):
        for _, started in triggers.items():
            yield started


def _follows_a_link(action: object) -> bool:
    waiting = [action]
    for _ in range(_LONGEST_ACTION_CHAIN):
        if not waiting:
            return False
        current = waiting.pop()
        if isinstance(current, pikepdf.Array):
            waiting.extend(list(current)[:_LONGEST_ACTION_CHAIN])
        elif is_mapping(current):
            if _name(current, "/S") == "/URI":
                return True
            waiting.append(current.get("/Next"))
    return True


def hides_layers(pdf: pikepdf.Pdf) -> bool:
    """Whether the default configuration leaves a layer off, or turns it by print, view, zoom, language or user
    (ISO 32000-2, 8.11.4)."""
    properties = pdf.Root.get("/OCProperties")
    if not is_mapping(properties):
        return False
    default = properties.get("/D")
    if not is_mapping(default):
        return False
    if _name(default, "/BaseState") == "/OFF" or _items(default.get("/OFF")):
        return True
    for usage_application in _items(default.get("/AS")):
        if not is_mapping(usage_application):
            continue
        categories = [str(category) for category in _items(usage_application.get("/Category"))]
        for group in _items(usage_application.get("/OCGs")):
            usage = group.get("/Usage") if is_mapping(group) else None
            if is_mapping(usage) and any(_may_turn_off(usage, category) for category in categories):
                return True
    return False


def _may_turn_off(usage: pikepdf.Object, category: str) -> bool:
    setting = usage.get(category)
    if not is_mapping(setting):
        return False
    if category in ("/View", "/Print", "/Export"):
        return _name(setting, f"{category}State") == "/OFF"
    return category in ("/Zoom", "/Language", "/User")


def _items(value: object) -> list[pikepdf.Object]:
    return list(value) if isinstance(value, pikepdf.Array) else []


def _name(mapping: pikepdf.Object, key: str) -> str | None:
    value = mapping.get(key)
    return str(value) if isinstance(value, pikepdf.Name) else None


def _is_string(value: object) -> bool:
    return isinstance(value, pikepdf.String | str)
