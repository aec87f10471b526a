"""活动内容: whether an object of a document runs, launches, fetches or hides something.

Every object of the file is looked at, reachable or not: a later revision needs nothing but a reference to bring an
unreachable one to life, which is how shadow attacks on signed documents are prepared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import pikepdf

from seal_service.domain.content import ContentKind
from seal_service.formats.pdf import is_mapping
from seal_service.sealing.counted_values import CountedValues

_LONGEST_ACTION_CHAIN = 100
_NAMES = (
    rb"JS|JavaScript|OnInstantiate|RichMedia|Launch|GoToR|GoToE|SubmitForm|ImportData|Thread|AA|OpenAction"
    rb"|FFilter|FS|Filespec|UF|Poster|Aspect|Ref|OPI|Movie|MCD|SetOCGState|OCMD"
)
_SUSPECT_STREAM = re.compile(rb"/(?:%s|F(?! [0-9]+ [/>]))(?![A-Za-z0-9])" % _NAMES)
"""Names that make an object worth looking into; qpdf writes names in their one normal form. An /F that is a whole
number is the flags of an annotation."""
_SUSPECT = re.compile(rb"/(?:%s|F(?! [0-9]+ (?:[0-9]+ R )?[/>]))(?![A-Za-z0-9])" % _NAMES)
"""The same for what is no stream, where an /F that refers to an object alone does nothing: many name a font so."""

_ACTIONS = {
    "/JavaScript": ContentKind.JAVASCRIPT,
    "/Launch": ContentKind.LAUNCH,
    "/GoToR": ContentKind.EXTERNAL,
    "/SubmitForm": ContentKind.EXTERNAL,
    "/ImportData": ContentKind.EXTERNAL,
    "/SetOCGState": ContentKind.HIDDEN_LAYERS,
}


def kinds_in(indirect: pikepdf.Object, values: CountedValues) -> set[ContentKind]:
    """The kinds of active content in one indirect object and the direct objects within it; DocumentOverLimit."""
    is_stream = isinstance(indirect, pikepdf.Stream)
    source = indirect.stream_dict.unparse(resolved=True) if is_stream else indirect.unparse(resolved=True)
    if not (_SUSPECT_STREAM if is_stream else _SUSPECT).search(source):
        return set()
    found: set[ContentKind] = set()
    waiting: list[object] = [indirect]
    while waiting:
        value = waiting.pop()
        if isinstance(value, pikepdf.Array):
            children = values.items(value)
        else:
            entries = values.entries(value)
            found.update(_kinds_of(entries, values))
            if value is indirect and is_stream and ("/F" in entries or "/FFilter" in entries):
                found.add(ContentKind.EXTERNAL)
            children = list(entries.values())
        waiting.extend(child for child in children if _is_direct_container(child))
    return found


def _is_direct_container(value: object) -> bool:
    return isinstance(value, pikepdf.Dictionary | pikepdf.Array) and not value.is_indirect


def _kinds_of(entries: Mapping[str, object], values: CountedValues) -> Iterator[ContentKind]:
    if not entries:
        return
    action, subtype, kind = _name(entries, "/S"), _name(entries, "/Subtype"), _name(entries, "/Type")
    if "/JS" in entries or "/JavaScript" in entries or "/OnInstantiate" in entries or subtype == "/RichMedia":
        yield ContentKind.JAVASCRIPT
    if action in _ACTIONS:
        yield _ACTIONS[action]
    if _is_external(entries, action, subtype, kind):
        yield ContentKind.EXTERNAL
    if kind == "/OCMD" and (_name(entries, "/P") in ("/AllOff", "/AnyOff") or "/VE" in entries):
        yield ContentKind.HIDDEN_LAYERS
    if any(_follows_a_link(started, values) for started in _started_without_click(entries, values)):
        yield ContentKind.EXTERNAL


def _is_external(entries: Mapping[str, object], action: str | None, subtype: str | None, kind: str | None) -> bool:
    """Whether it names a file or an address outside; a movie dictionary (ISO 32000-1, 13.4) has no type of its own."""
    is_movie = _is_string(entries.get("/F")) and ("/Poster" in entries or "/Aspect" in entries)
    return (
        (action in ("/GoToE", "/Thread") and "/F" in entries)
        or "/OPI" in entries
        or ("/Ref" in entries and subtype == "/Form")
        or _name(entries, "/FS") == "/URL"
        or ("/EF" not in entries and (kind in ("/Filespec", "/F") or "/UF" in entries))
        or is_movie
        or (action == "/MCD" and _is_string(entries.get("/D")))
    )


def _started_without_click(entries: Mapping[str, object], values: CountedValues) -> Iterator[object]:
    """The actions that opening, printing or moving about starts (ISO 32000-2, 12.6.3)."""
    if "/OpenAction" in entries:
        yield entries["/OpenAction"]
    if "/AA" in entries:
        yield from values.entries(entries["/AA"]).values()


def _follows_a_link(action: object, values: CountedValues) -> bool:
    waiting = [action]
    for _ in range(_LONGEST_ACTION_CHAIN):
        if not waiting:
            return False
        current = waiting.pop()
        if isinstance(current, pikepdf.Array):
            waiting.extend(values.items(current))
            continue
        entries = values.entries(current)
        if _name(entries, "/S") == "/URI":
            return True
        if "/Next" in entries:
            waiting.append(entries["/Next"])
    return True


def hides_layers(pdf: pikepdf.Pdf, values: CountedValues) -> bool:
    """Whether the default configuration leaves a layer off, or turns it by print, view, zoom, language or user
    (ISO 32000-2, 8.11.4). Raises DocumentOverLimit."""
    properties = pdf.Root.get("/OCProperties")
    if not is_mapping(properties):
        return False
    default = values.entries(properties.get("/D"))
    if _name(default, "/BaseState") == "/OFF" or values.items(default.get("/OFF")):
        return True
    for usage_application in values.items(default.get("/AS")):
        application = values.entries(usage_application)
        categories = [str(category) for category in values.items(application.get("/Category"))]
        for group in values.items(application.get("/OCGs")):
            usage = values.entries(group.get("/Usage")) if is_mapping(group) else {}
            if any(_may_turn_off(usage, category) for category in categories):
                return True
    return False


def _may_turn_off(usage: Mapping[str, object], category: str) -> bool:
    setting = usage.get(category)
    if not is_mapping(setting):
        return False
    if category in ("/View", "/Print", "/Export"):
        state = setting.get(f"{category}State")
        return isinstance(state, pikepdf.Name) and str(state) == "/OFF"
    return category in ("/Zoom", "/Language", "/User")


def _name(entries: Mapping[str, object], key: str) -> str | None:
    value = entries.get(key)
    return str(value) if isinstance(value, pikepdf.Name) else None


def _is_string(value: object) -> bool:
    return isinstance(value, pikepdf.String | str)
