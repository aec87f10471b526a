"""证明修订: revisions that add validation data or a document time-stamp, and nothing else (EN 319 142-1, 5.4.2, 5.4.3).

Every seal at level B-LT or B-LTA is followed by such revisions. They are told from any other by what qpdf reads of the
two revisions, in a small part of the time that the general rules take, and in files that those cannot read. A revision
of which this is not certain is none: it goes to the general rules (`revision_rules`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeGuard

import pikepdf

from seal_service.formats.pdf import open_revision
from seal_service.formats.pdf_signatures import Identity
from seal_service.ports.documents import Content
from seal_service.verification.proof_references import refers_to

_STORE_KEYS = frozenset({"/Type", "/VRI", "/Certs", "/OCSPs", "/CRLs"})
_STORE_STREAMS = ("/Certs", "/OCSPs", "/CRLs")
_ENTRY_KEYS = frozenset({"/Type", "/Cert", "/OCSP", "/CRL", "/TU", "/TS"})
_ENTRY_STREAMS = ("/Cert", "/OCSP", "/CRL")
_FIELD_KEYS = frozenset({"/Type", "/Subtype", "/FT", "/Ff", "/T", "/F", "/P", "/Rect", "/V"})
_STAMP_KEYS = frozenset({"/Type", "/Filter", "/SubFilter", "/ByteRange", "/Contents", "/V", "/M"})
_OBJECT = re.compile(rb"([0-9]{1,10})[\0\t\n\f\r ]+([0-9]{1,5})[\0\t\n\f\r ]+obj\b")
_ENTRY_NAME = re.compile(r"/[0-9A-F]{40}")
_MOST_ADDED = 2_000
_MOST_ELEMENTS = 20_000
_READ_ERRORS = (pikepdf.PdfError, ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)

_Place = tuple[int, ...]


class _NotCertain(Exception):
    """The revision may be another one."""


def _certain(condition: bool) -> None:
    if not condition:
        raise _NotCertain


@dataclass(frozen=True)
class Revision:
    """修订: a file as it was when it ended at an offset."""

    content: Content
    end: int
    cross_reference: int
    """The offset that its last startxref names."""

    @cached_property
    def pdf(self) -> pikepdf.Pdf:
        """As qpdf reads it, nothing repaired."""
        return open_revision(self.content, self.end)

    @cached_property
    def warnings(self) -> bool:
        """Whether qpdf found fault with what it reads first."""
        return bool(self.pdf.get_warnings())

    @cached_property
    def places(self) -> dict[Identity, _Place]:
        """Where each object is: at an offset, or in an object stream."""
        return {
            identity: (entry.offset or 0,)
            if entry.type == 1
            else (entry.obj_stream_number or 0, entry.obj_stream_index or 0)
            for identity, entry in self.pdf.get_xref_table().items()
            if entry.type
        }

    @cached_property
    def object_streams(self) -> frozenset[int]:
        """Numbers of the streams that hold objects."""
        return frozenset(place[0] for place in self.places.values() if len(place) == 2)


def adds_proofs_alone(before: Revision, after: Revision) -> bool:
    """Whether `after`, the next revision, is certain to add validation data or a document time-stamp alone."""
    try:
        _Addition(before, after).check()
    except (_NotCertain, *_READ_ERRORS):
        return False
    return True


class _Addition:
    """What the later of two revisions wrote."""

    def __init__(self, before: Revision, after: Revision) -> None:
        self._before, self._after = before, after
        self._old, self._new = before.pdf, after.pdf
        self._warnings = after.warnings
        written = {one for one, place in after.places.items() if before.places.get(one) != place}
        _certain(before.places.keys() <= after.places.keys())
        _certain(all(_stands_at(after, one) >= before.end for one in written))
        self._added = {one for one in written if one not in before.places}
        self._replaced = written - self._added
        self._explained: set[Identity] = set()

    def check(self) -> None:
        """Raise _NotCertain unless all that was written is explained."""
        self._check_trailer()
        _certain(0 < len(self._added) <= _MOST_ADDED and all(generation == 0 for _, generation in self._added))
        old_root, root = self._old.Root, self._new.Root
        if root.objgen in self._replaced:
            _certain(_same_but(old_root, root, {"/DSS", "/Extensions", "/AcroForm"}))
            if "/Extensions" in root:  # which version of the standard the file makes use of (7.12)
                _certain(_is_direct(root["/Extensions"]) and b" R" not in root["/Extensions"].unparse())
            self._explained.add(root.objgen)
        self._explain_store(old_root.get("/DSS"), root.get("/DSS"))
        self._explain_form(old_root, root)
        sections = {one for one in self._added if self._after.places[one] == (self._after.cross_reference,)}
        _certain(self._explained >= self._replaced | (self._added - sections))
        _certain(not self._warnings and not self._new.get_warnings())  # such as for a key that a dictionary has twice
        _certain(not refers_to(self._before.content, self._before.end, self._streams(), self._added))

    def _streams(self) -> Iterator[bytes]:
        for number in self._before.object_streams:
            stream = self._old.get_object((number, 0))
            _certain(isinstance(stream, pikepdf.Stream))
            yield stream.read_bytes()

    def _check_trailer(self) -> None:
        old, new = self._old.trailer, self._new.trailer
        _certain(self._before.end <= self._after.cross_reference < self._after.end)
        _certain(new.get("/Prev") == self._before.cross_reference and "/XRefStm" not in new)
        _certain(not self._new.is_encrypted and "/Encrypt" not in old and "/Encrypt" not in new)
        _certain(all(_written(old, key) == _written(new, key) for key in ("/Root", "/Info")))
        _certain(self._new.Root.objgen == self._old.Root.objgen != (0, 0))

    def _take(self, value: pikepdf.Object) -> pikepdf.Object:
        """The value; where it was added, it is explained."""
        if value.is_indirect:
            _certain(value.objgen not in self._replaced)
            if value.objgen in self._added:
                self._explained.add(value.objgen)
        return value

    def _explain_store(self, old: pikepdf.Object | None, store: pikepdf.Object | None) -> None:
        """文档安全存储: streams, and entries by signature, of which none that was there is another."""
        if store is None:
            _certain(old is None)
            return
        self._take_grown(old, store, _STORE_KEYS)
        self._explain_streams(store, _STORE_STREAMS)
        before, entries = None if old is None else old.get("/VRI"), store.get("/VRI")
        if entries is None:
            _certain(before is None)
            return
        self._take_grown(before, entries, None)
        known = set() if before is None else set(before.keys())
        _certain(all(_written(before, key) == _written(entries, key) for key in known))
        for key in set(entries.keys()) - known:
            entry = self._take(entries[key])
            _certain(_is_dictionary(entry) and entry.keys() <= _ENTRY_KEYS)
            self._explain_streams(entry, _ENTRY_STREAMS)
            if "/TS" in entry:
                _certain(isinstance(self._take(entry["/TS"]), pikepdf.Stream))
            _certain("/TU" not in entry or isinstance(entry["/TU"], pikepdf.String))

    def _take_grown(self, old: pikepdf.Object | None, new: pikepdf.Object, keys: frozenset[str] | None) -> None:
        """A dictionary of the store, which may be written again in its place; it can be nothing else to another."""
        for one in (new,) if old is None else (old, new):
            _certain(_is_dictionary(one))
            _certain(all(key in keys if keys else _ENTRY_NAME.fullmatch(key) for key in set(one.keys())))
        if old is not None and new.is_indirect and new.objgen == old.objgen:
            self._replace(new)
        else:
            self._take(new)

    def _explain_streams(self, holder: pikepdf.Object, keys: tuple[str, ...]) -> None:
        for key in keys:
            if key in holder:
                for stream in _elements(self._take(holder[key])):
                    _certain(isinstance(stream, pikepdf.Stream) and stream.is_indirect)
                    self._take(stream)

    def _explain_form(self, old_root: pikepdf.Object, root: pikepdf.Object) -> None:
        """文档时间戳: at most one field more at the end of the form, which shows nothing."""
        old, form = old_root.get("/AcroForm"), root.get("/AcroForm")
        if form is None and old is None:
            return
        if not _is_dictionary(old) or not _is_dictionary(form) or old.objgen != form.objgen:
            raise _NotCertain
        before, after = _elements(old["/Fields"]), _elements(form["/Fields"])
        if len(after) == len(before) and form.objgen not in self._replaced and old.unparse() == form.unparse():
            return
        _certain(_same_but(old, form, {"/Fields", "/SigFlags"}) and form.get("/SigFlags", 3) == 3)
        field = self._grown(old["/Fields"], form["/Fields"], before, after)
        names = [one.get("/T") for one in before if _is_dictionary(one)]
        _certain(len(names) == len(before) and all(one is None or one != field.get("/T") for one in names))
        self._replace(form)
        self._explain_timestamp(field)

    def _explain_timestamp(self, field: pikepdf.Object) -> None:
        _certain(field.objgen in self._added and _is_dictionary(field) and field.keys() <= _FIELD_KEYS)
        left, bottom, right, top = _elements(field["/Rect"])
        _certain(left == right and bottom == top)
        _certain(field["/FT"] == pikepdf.Name.Sig and field["/Subtype"] == pikepdf.Name.Widget)
        _certain(all(_is_direct(field[key]) for key in set(field.keys()) - {"/V", "/P"}))
        self._take(field)
        stamp = self._take(field["/V"])
        _certain(stamp.objgen in self._added and _is_dictionary(stamp) and stamp.keys() <= _STAMP_KEYS)
        _certain(
            stamp["/Type"] == pikepdf.Name.DocTimeStamp and all(_is_direct(stamp[key]) for key in set(stamp.keys()))
        )
        if "/P" in field:
            page, number = field["/P"], field["/P"].objgen
            _certain(_is_dictionary(page) and page["/Type"] == pikepdf.Name.Page and number in self._before.places)
            self._explain_widget(self._old.get_object(number), page, field)

    def _explain_widget(self, old: pikepdf.Object, page: pikepdf.Object, field: pikepdf.Object) -> None:
        """A page's annotations may be the field more."""
        before = _elements(old["/Annots"]) if "/Annots" in old else []
        after = _elements(page["/Annots"]) if "/Annots" in page else []
        if len(before) == len(after):
            return
        _certain(_same_but(old, page, {"/Annots"}))
        last = self._grown(old.get("/Annots"), page["/Annots"], before, after)
        _certain(last.objgen == field.objgen)
        self._replace(page)

    def _grown(
        self,
        old: pikepdf.Object | None,
        new: pikepdf.Object,
        before: list[pikepdf.Object],
        after: list[pikepdf.Object],
    ) -> pikepdf.Object:
        """The one element more of an array, which stayed the object that it was."""
        _certain(len(after) == len(before) + 1 and list(map(_spelled, before)) == list(map(_spelled, after[:-1])))
        if new.is_indirect:
            _certain(old is not None and old.objgen == new.objgen and all(map(_is_dictionary, before)) and before != [])
            self._replace(new)
        return after[-1]

    def _replace(self, value: pikepdf.Object) -> None:
        if value.is_indirect and value.objgen in self._replaced:
            self._explained.add(value.objgen)


def _stands_at(revision: Revision, identity: Identity) -> int:
    """The offset of an object that bears its own number there; qpdf, not repairing, may crash over any other."""
    offset, *rest = revision.places[identity]
    header = _OBJECT.match(revision.content, offset)
    _certain(not rest and header is not None and (int(header[1]), int(header[2])) == identity)
    return offset


def _is_dictionary(value: pikepdf.Object | None) -> TypeGuard[pikepdf.Dictionary]:
    return isinstance(value, pikepdf.Dictionary) and not isinstance(value, pikepdf.Stream)


def _is_direct(value: object) -> bool:
    return not (isinstance(value, pikepdf.Object) and value.is_indirect)


def _elements(array: pikepdf.Object) -> list[pikepdf.Object]:
    _certain(isinstance(array, pikepdf.Array) and len(array) <= _MOST_ELEMENTS)
    return list(array.as_list())


def _spelled(value: object) -> object:
    """A value such as it stands in its holder, a reference as such; numbers are Python's to pikepdf."""
    return value.unparse() if isinstance(value, pikepdf.Object) else (type(value), value)


def _written(holder: pikepdf.Object | None, key: str) -> object:
    return _spelled(holder[key]) if holder is not None and key in holder else None


def _same_but(old: pikepdf.Object, new: pikepdf.Object, changed: set[str]) -> bool:
    """Whether two dictionaries have the same entries, those named apart."""
    _certain(_is_dictionary(old) and _is_dictionary(new))
    keys = old.keys() - changed
    return keys == new.keys() - changed and all(_written(old, key) == _written(new, key) for key in keys)
