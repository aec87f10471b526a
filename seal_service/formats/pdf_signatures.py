"""PDF 签名字段: reads every signature field, the document security store and where the signature objects lie.

Reading only: nothing here says whether a signature is good. ISO 32000-2, 12.7.5.5, 12.8; EN 319 142-1, 5.4.2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ParamSpec

import pikepdf

from seal_service.domain.errors import DocumentDamaged, DocumentEncrypted, DocumentOverLimit, DocumentUnsupported
from seal_service.formats.pdf import complaint, open_pdf, open_revision
from seal_service.ports.documents import Content

P = ParamSpec("P")

_HEADER_WITHIN = 1024
_MOST_NAME = 1000

Identity = tuple[int, int]
_Inherited = tuple[pikepdf.Object, str, bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldLock:
    """字段锁定: which form fields a signature locks (ISO 32000-2, 12.8.2.4)."""

    action: str
    """All | Include | Exclude"""
    names: tuple[str, ...]

    def locks(self, name: str) -> bool:
        """Whether the field, or one above it, is locked."""
        named = any(name == one or name.startswith(one + ".") for one in self.names)
        return self.action == "All" or (named if self.action == "Include" else not named)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureField:
    """签名字段 with a value: what its dictionary says, unjudged."""

    name: str
    holder: Identity
    """Number and generation of the indirect object in which the signature dictionary stands."""
    byte_range: tuple[int, ...] | None
    contents: bytes | None
    type: str | None
    filter: str | None
    sub_filter: str | None
    claimed_time: str | None
    """/M, a PDF date."""
    permissions: int | None
    """DocMDP: 1 no changes, 2 form filling and signing, 3 also annotations."""
    lock: FieldLock | None

    @property
    def stamps(self) -> bool:
        """Whether it says it is a document time-stamp, by its type or, as older programs did, by its SubFilter."""
        return self.type == "DocTimeStamp" or self.sub_filter == "ETSI.RFC3161"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityStore:
    """文档安全存储 (DSS): certificates, OCSP responses and CRLs, DER, of the store and its VRI entries."""

    certificates: tuple[bytes, ...] = ()
    ocsp_responses: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedPdf:
    """What a PDF holds of signatures."""

    fields: tuple[SignatureField, ...]
    store: SecurityStore
    offsets: dict[Identity, int]
    """Where, by the cross-reference table, the objects that hold signature dictionaries begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingLimits:
    """How much of a file is looked at before it is refused."""

    objects: int = 500_000
    fields: int = 200_000
    pages: int = 20_000
    signatures: int = 200
    store_bytes: int = 32 << 20


def read_signed_pdf(content: Content, limits: ReadingLimits) -> SignedPdf:
    """Every signature field with a value, however it is reached, and the security store.

    Raises DocumentUnsupported (no PDF), DocumentDamaged, DocumentEncrypted (a password is needed), DocumentOverLimit.
    """
    if content[:_HEADER_WITHIN].find(b"%PDF-") < 0:
        raise DocumentUnsupported
    with _reading(open_pdf, content) as pdf:
        return _read(pdf, limits)


def read_security_store(content: Content, end: int, limits: ReadingLimits) -> SecurityStore:
    """The security store of the revision that ends at an offset; raises as `read_signed_pdf`."""
    with _reading(open_revision, content, end) as pdf:
        return _store(pdf, limits)


@contextmanager
def _reading(opened: Callable[P, pikepdf.Pdf], *of: P.args, **options: P.kwargs) -> Iterator[pikepdf.Pdf]:
    """An open document; what is wrong with it is a refusal."""
    try:
        with opened(*of, **options) as pdf:
            yield pdf
    except pikepdf.PasswordError as error:
        raise DocumentEncrypted from error
    except (pikepdf.PdfError, ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise DocumentDamaged(f"The PDF cannot be read: {complaint(error)}") from error


def _read(pdf: pikepdf.Pdf, limits: ReadingLimits) -> SignedPdf:
    table = pdf.get_xref_table()
    if len(table) > limits.objects:
        raise DocumentOverLimit(f"The document has more than {limits.objects} objects", limit=limits.objects)
    fields: list[SignatureField] = []
    seen: set[Identity] = set()
    for field, name in _signature_fields(pdf, limits):
        value = field.get("/V")
        if value is None:
            continue
        holder = value.objgen if value.is_indirect else field.objgen
        if holder in seen and holder != (0, 0):
            continue
        seen.add(holder)
        if len(fields) == limits.signatures:
            raise DocumentOverLimit(f"The document has more than {limits.signatures} signatures")
        fields.append(_field(field, value, name, holder))
    offsets: dict[Identity, int] = {}
    for one in fields:
        entry = table.get(one.holder)
        if entry is not None and entry.type == 1 and entry.offset is not None:
            offsets[one.holder] = entry.offset
    return SignedPdf(fields=tuple(fields), store=_store(pdf, limits), offsets=offsets)


def _signature_fields(pdf: pikepdf.Pdf, limits: ReadingLimits) -> Iterator[tuple[pikepdf.Object, str]]:
    """Fields of type Sig in the form's tree and among the pages' widgets, each once."""
    visited: set[Identity] = set()
    form = pdf.Root.get("/AcroForm")
    roots = form.get("/Fields") if isinstance(form, pikepdf.Dictionary) else None
    yield from _walk(_dictionaries(roots), visited, limits)
    shared: set[Identity] = set()
    for number, page in enumerate(pdf.pages):
        if number == limits.pages:
            raise DocumentOverLimit(f"The document has more than {limits.pages} pages")
        annotations = page.obj.get("/Annots")
        if isinstance(annotations, pikepdf.Array) and annotations.objgen not in shared:
            if annotations.is_indirect:
                shared.add(annotations.objgen)
            widgets = (one for one in _dictionaries(annotations) if one.get("/Subtype") == pikepdf.Name.Widget)
            yield from _walk(widgets, visited, limits)


def _walk(
    roots: Iterator[pikepdf.Object], visited: set[Identity], limits: ReadingLimits
) -> Iterator[tuple[pikepdf.Object, str]]:
    for root in roots:
        stack: list[_Inherited] = [(root, "", False)]
        while stack:
            field, above, inherited = stack.pop()
            if field.is_indirect:
                if field.objgen in visited:
                    continue
                visited.add(field.objgen)
                if len(visited) > limits.fields:
                    raise DocumentOverLimit(f"The document has more than {limits.fields} form fields")
            partial = field.get("/T")
            name = ".".join(filter(None, (above, _text(partial))))[:_MOST_NAME]
            kind = field.get("/FT")
            is_signature = inherited if kind is None else kind == pikepdf.Name.Sig
            if is_signature or (kind is None and _looks_signed(field)):
                yield field, name
            stack.extend((kid, name, is_signature) for kid in _dictionaries(field.get("/Kids")))


def _looks_signed(field: pikepdf.Object) -> bool:
    """A field without type whose value is a signature dictionary: shown as a signature by some readers."""
    value = field.get("/V")
    return isinstance(value, pikepdf.Dictionary) and "/ByteRange" in value and "/Contents" in value


def _dictionaries(array: pikepdf.Object | None) -> Iterator[pikepdf.Object]:
    if isinstance(array, pikepdf.Array):
        for one in array:
            if isinstance(one, pikepdf.Dictionary):
                yield one


def _field(field: pikepdf.Object, value: pikepdf.Object, name: str, holder: Identity) -> SignatureField:
    if not isinstance(value, pikepdf.Dictionary):
        value = pikepdf.Dictionary()
    contents = value.get("/Contents")
    return SignatureField(
        name=name,
        holder=holder,
        byte_range=_byte_range(value.get("/ByteRange")),
        contents=bytes(contents) if isinstance(contents, pikepdf.String) else None,
        type=_name(value.get("/Type")),
        filter=_name(value.get("/Filter")),
        sub_filter=_name(value.get("/SubFilter")),
        claimed_time=_text(value.get("/M")),
        permissions=_permissions(field, value),
        lock=_lock(field, value),
    )


def _byte_range(array: pikepdf.Object | None) -> tuple[int, ...] | None:
    if not isinstance(array, pikepdf.Array) or len(array) > 100:
        return None
    numbers = tuple(_integer(one) for one in array)
    return None if None in numbers else tuple(one for one in numbers if one is not None)


def _integer(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _transform(value: pikepdf.Object, method: str) -> pikepdf.Object | None:
    for reference in _dictionaries(value.get("/Reference")):
        if reference.get("/TransformMethod") == pikepdf.Name(method):
            parameters = reference.get("/TransformParams")
            return parameters if isinstance(parameters, pikepdf.Dictionary) else pikepdf.Dictionary()
    return None


def _permissions(field: pikepdf.Object, value: pikepdf.Object) -> int | None:
    """DocMDP of the signature, else of the field's lock; 2 is the default of a DocMDP without /P."""
    parameters = _transform(value, "/DocMDP")
    if parameters is not None:
        level = _integer(parameters.get("/P", 2))
        return level if level in (1, 2, 3) else 1
    lock = field.get("/Lock")
    level = _integer(lock.get("/P")) if isinstance(lock, pikepdf.Dictionary) else None
    return level if level in (1, 2, 3) else None


def _lock(field: pikepdf.Object, value: pikepdf.Object) -> FieldLock | None:
    lock = _transform(value, "/FieldMDP")
    if lock is None:
        lock = field.get("/Lock")
    if not isinstance(lock, pikepdf.Dictionary):
        return None
    action = _name(lock.get("/Action"))
    names = lock.get("/Fields")
    listed = tuple(str(one) for one in names) if isinstance(names, pikepdf.Array) else ()
    return FieldLock(action=action if action in ("Include", "Exclude") else "All", names=listed)


def _store(pdf: pikepdf.Pdf, limits: ReadingLimits) -> SecurityStore:
    root = pdf.Root.get("/DSS")
    if not isinstance(root, pikepdf.Dictionary):
        return SecurityStore()
    found: dict[str, dict[bytes, None]] = {"/Cert": {}, "/OCSP": {}, "/CRL": {}}
    seen: set[Identity] = set()
    budget = limits.store_bytes
    related = root.get("/VRI")
    entries = [value for _, value in related.items()] if isinstance(related, pikepdf.Dictionary) else []
    for entry in [root, *(one for one in entries if isinstance(one, pikepdf.Dictionary))]:
        for key, values in found.items():
            for item in entry.get(key + "s", entry.get(key, ())):
                if not isinstance(item, pikepdf.Stream) or item.objgen in seen:
                    continue
                seen.add(item.objgen)
                data = item.read_bytes()
                budget -= len(data)
                if budget < 0:
                    raise DocumentOverLimit(f"The security store has more than {limits.store_bytes} bytes")
                values[data] = None
    return SecurityStore(
        certificates=tuple(found["/Cert"]), ocsp_responses=tuple(found["/OCSP"]), crls=tuple(found["/CRL"])
    )


def _name(value: pikepdf.Object | None) -> str | None:
    return str(value)[1:] if isinstance(value, pikepdf.Name) else None


def _text(value: pikepdf.Object | None) -> str | None:
    """Text that can be written again: a lone surrogate becomes a question mark."""
    return str(value).encode("utf-8", "replace").decode() if isinstance(value, pikepdf.String) else None
