"""Sealing PDF documents: prefix, levels, what is refused, and the self-check against changed outputs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from io import BytesIO

import pikepdf
import pytest
from asn1crypto import ocsp as asn1_ocsp
from pikepdf import Array, Dictionary, Name, Pdf, String
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from seal_service.domain.authorization import SealingPermit
from seal_service.domain.errors import IntegrityFailed, LevelUnreachable, SelfCheckFailed, SignatureRefused
from seal_service.domain.placement import Placement
from seal_service.domain.use import SignatureLevel
from seal_service.formats.pdf import open_pdf
from seal_service.formats.upload import upload_of
from seal_service.ports.documents import SealedDocument
from seal_service.sealing.sealer import SealerByContent
from tests.sealing_infrastructure import certificate, der, private_key
from tests.sealing_world import INTENT, World, another_intent, document

B_B, B_T, B_LT, B_LTA = SignatureLevel


@pytest.fixture(scope="module")
def world() -> World:
    return World()


def _form_with_empty_field(pdf: Pdf) -> None:
    pdf.pages[0].obj.Annots = Array([])
    field = pdf.make_indirect(
        Dictionary(FT=Name.Sig, T=String("Reserved"), Type=Name.Annot, Subtype=Name.Widget, Rect=Array([0, 0, 0, 0]))
    )
    pdf.pages[0].obj.Annots.append(field)
    pdf.Root.AcroForm = Dictionary(Fields=Array([field]), NeedAppearances=True, DA=String("/Helv 0 Tf"))


@pytest.mark.parametrize("object_streams", [False, True])
@pytest.mark.parametrize("level", list(SignatureLevel))
def test_every_level_is_reached_and_the_original_is_a_prefix(
    world: World, level: SignatureLevel, object_streams: bool
) -> None:
    content = document(pages=2, object_streams=object_streams)
    sealed = world.seal(content, level=level)
    assert sealed.content.startswith(content)
    assert (sealed.level, sealed.lower_level_reason) == (level, None)
    assert sealed.sha256 == hashlib.sha256(sealed.content).hexdigest()
    assert sealed.sm3 == upload_of(sealed.content).sm3_hex
    assert sealed.page == 2
    assert sealed.box_um == (143000, 230000, 42000, 42000)
    assert (sealed.timestamp_token is None) == (level is B_B)


def test_a_visible_seal_adds_at_most_25_kb(world: World) -> None:
    content = document()
    assert len(world.seal(content).content) - len(content) <= 25_000


def test_the_signature_dictionary_names_unit_and_seal(world: World) -> None:
    with open_pdf(world.seal(document()).content) as pdf:
        widget = pdf.Root.AcroForm.Fields[0]
        value = widget.V
        assert (str(value.Name), str(value.Reason)) == ("示例市样章局", "示例市样章局（样章） 99990000000001")
        assert str(value.M) == f"D:{world.clock.now():%Y%m%d%H%M%S}Z"
        assert "/Location" not in value
        assert "/ContactInfo" not in value
        assert (str(widget.T), int(widget.F)) == ("Seal-0123456789ab", 132)
        assert widget.P.objgen == pdf.pages[0].obj.objgen
        assert int(pdf.Root.AcroForm.SigFlags) == 3


def test_existing_unsigned_fields_stay_and_the_form_is_kept(world: World) -> None:
    with open_pdf(world.seal(document(change=_form_with_empty_field)).content) as pdf:
        names = [str(field.T) for field in pdf.Root.AcroForm.Fields]
        assert names == ["Reserved", "Seal-0123456789ab"]
        assert "/V" not in pdf.Root.AcroForm.Fields[0]
        assert str(pdf.Root.AcroForm.DA) == "/Helv 0 Tf"
        assert "/NeedAppearances" not in pdf.Root.AcroForm
        assert len(pdf.pages[0].obj.Annots) == 2


def test_a_field_name_that_is_taken_is_numbered(world: World) -> None:
    once = world.seal(document()).content
    assert world.seal(once).field_name == "Seal-0123456789ab-2"


def test_the_hash_states_of_the_upload_are_left_as_they_were(world: World) -> None:
    upload = upload_of(document())
    before = upload.sha256_hex, upload.sm3_hex
    world.sealer.seal(upload, world.permit(upload, level=B_LTA), INTENT)
    assert (upload.sha256_hex, upload.sm3_hex) == before


def test_revocation_data_is_asked_for_after_the_time_stamp_for_every_certificate(world: World) -> None:
    infrastructure = world.infrastructure
    infrastructure.asked.clear()
    sealed = world.seal(document(), level=B_LT)
    certificates = {world.credential.certificate, der(infrastructure.issuing), der(infrastructure.unit)}
    assert {one for one, _ in infrastructure.asked} == certificates, "nor the responder, which is exempt, nor the root"
    assert {moment for _, moment in infrastructure.asked} == {infrastructure.clock.now()}
    with open_pdf(sealed.content) as pdf:
        store = pdf.Root.DSS
        held = {one.read_bytes() for one in store.Certs}
        assert held == {*certificates, der(infrastructure.root), der(infrastructure.ocsp)}
        produced = [
            asn1_ocsp.OCSPResponse.load(one.read_bytes()).response_data["produced_at"].native for one in store.OCSPs
        ]
        assert min(produced) >= infrastructure.clock.now() - timedelta(seconds=1)
        contents = bytes(pdf.Root.AcroForm.Fields[0].V.Contents)
        assert list(store.VRI.keys()) == ["/" + hashlib.sha1(contents).hexdigest().upper()]


def test_a_second_seal_adds_to_the_store_of_the_first(world: World) -> None:
    first = world.seal(document(), level=B_LT)
    second = world.seal(first.content, Placement(page=1, x_mm=10, y_mm=10), B_LT, intent=another_intent(2))
    with open_pdf(first.content) as before, open_pdf(second.content) as after:
        assert len(after.Root.DSS.VRI.keys()) == 2
        assert {one.read_bytes() for one in before.Root.DSS.OCSPs} <= {one.read_bytes() for one in after.Root.DSS.OCSPs}
        assert len(after.Root.DSS.Certs) == len(before.Root.DSS.Certs), "none is kept twice"


@pytest.mark.parametrize(
    ("asked", "timestamps", "revocation", "reached"),
    [
        (B_T, 0, True, B_B),
        (B_LT, 0, True, B_B),
        (B_LT, 1, False, B_T),
        (B_LTA, 1, False, B_T),
        (B_LTA, 1, True, B_LT),
    ],
)
def test_a_level_that_cannot_be_reached_is_an_error_or_the_stated_lower_level(
    asked: SignatureLevel, timestamps: int, revocation: bool, reached: SignatureLevel
) -> None:
    world = World()
    world.infrastructure.revocation_works = revocation
    world.infrastructure.timestamps_left = timestamps
    with pytest.raises(LevelUnreachable) as refused:
        world.seal(document(), level=asked)
    assert (refused.value.details["asked"], refused.value.details["reached"]) == (asked.value, reached.value)
    assert str(refused.value.details["cause"]) in refused.value.message
    world.infrastructure.timestamps_left = timestamps
    sealed = world.seal(document(), level=asked, allow_lower_level=True)
    assert sealed.level is reached
    assert sealed.lower_level_reason == refused.value.details["cause"]


def test_without_an_authority_b_b_is_reached() -> None:
    world = World(with_timestamps=False)
    assert world.seal(document()).level is B_B
    assert world.seal(document(), level=B_T, allow_lower_level=True).level is B_B


def test_a_time_stamp_larger_than_its_room_is_given_more() -> None:
    world = World()
    key = private_key("padding", world.suite)
    world.infrastructure.padding_certificates = [
        der(certificate(f"padding {number}", key, None, key)) for number in range(25)
    ]
    sealed = world.seal(document(), level=B_LTA)
    assert sealed.level is B_LTA
    assert len(sealed.timestamp_token or b"") > 6144


def test_a_time_stamp_too_large_for_a_prepared_seal_is_said_and_the_next_one_fits() -> None:
    world = World()
    key = private_key("padding", world.suite)
    world.infrastructure.padding_certificates = [
        der(certificate(f"padding {number}", key, None, key)) for number in range(25)
    ]
    upload = upload_of(document())
    permit = world.permit(upload, level=B_T)
    signing = world.keys.open(permit.credential.key_reference)
    prepared = world.sealer.prepare(upload, permit, INTENT)
    with pytest.raises(LevelUnreachable, match="room"):
        world.sealer.complete(prepared, signing.sign(prepared.to_be_signed))
    prepared = world.sealer.prepare(upload, permit, INTENT)
    assert world.sealer.complete(prepared, signing.sign(prepared.to_be_signed)).level is B_T


def test_another_key_or_another_message_is_refused(world: World) -> None:
    upload = upload_of(document())
    permit = world.permit(upload)
    prepared = world.sealer.prepare(upload, permit, INTENT)
    right, other = world.keys.open(permit.credential.key_reference), world.keys.create("other", world.suite)
    for signature in (other.sign(prepared.to_be_signed), right.sign(b"something else"), b""):
        with pytest.raises(SignatureRefused):
            world.sealer.complete(prepared, signature)


def test_an_impression_that_is_gone_is_said_so() -> None:
    world = World()
    world.blobs.kept.clear()
    with pytest.raises(IntegrityFailed):
        world.seal(document())


def test_the_sealer_by_content_seals_pdf_in_both_ways(world: World) -> None:
    sealer = SealerByContent(world.sealer)
    upload = upload_of(document())
    permit = world.permit(upload)
    sealer.check(upload, sealer.seal(upload, permit, INTENT), permit, INTENT)
    prepared = sealer.prepare(upload, permit, INTENT)
    signature = world.keys.open(prepared.key_reference).sign(prepared.to_be_signed)
    sealer.check(upload, sealer.complete(prepared, signature), permit, INTENT)


def _swap(sealed: SealedDocument, content: bytes) -> SealedDocument:
    """Other content whose stated digests are right, so that they are not what is found first."""
    upload = upload_of(content)
    base = len(sealed.original)
    return replace(
        sealed, original=content[:base], appended=content[base:], sha256=upload.sha256_hex, sm3=upload.sm3_hex
    )


def _gap(sealed: SealedDocument) -> tuple[int, int]:
    start = sealed.content.index(b"/Contents <", 0) + len(b"/Contents ")
    return start, sealed.content.index(b">", start) + 1


def _flip(sealed: SealedDocument, position: int) -> SealedDocument:
    content = bytearray(sealed.content)
    content[position] ^= 1
    return _swap(sealed, bytes(content))


def _byte_range(sealed: SealedDocument, first: int) -> SealedDocument:
    """The byte range begins elsewhere; as long as before."""
    start = sealed.content.index(b"/ByteRange [0 ")
    changed = sealed.content[: start + 12] + b"%d" % first + sealed.content[start + 13 :]
    return _swap(sealed, changed)


CHANGES: dict[str, tuple[str, Callable[[SealedDocument], SealedDocument]]] = {
    "a byte of the original": ("prefix", lambda one: _flip(one, 20)),
    "a byte of the revision": ("message_digest", lambda one: _flip(one, one.content.index(b"/Reason ") + 12)),
    "a byte of the signature value": ("", lambda one: _flip(one, _gap(one)[0] + 1400)),
    "something in the padding": ("", lambda one: _flip(one, _gap(one)[1] - 3)),
    "bytes appended": ("coverage", lambda one: _swap(one, one.content + b"\n")),
    "another byte range": ("byte_range", lambda one: _byte_range(one, 1)),
    "a stated digest": ("digest", lambda one: replace(one, sha256="0" * 64)),
    "a stated SM3 digest": ("digest", lambda one: replace(one, sm3="0" * 64)),
    "a stated signature": ("signature", lambda one: replace(one, signature_value=b"x")),
    "a stated algorithm": ("signature", lambda one: replace(one, signature_algorithm="1.2.3")),
    "a stated field": ("field", lambda one: replace(one, field_name="Other")),
    "a stated page": ("page", lambda one: replace(one, page=1)),
    "a stated level": ("timestamp", lambda one: replace(one, level=B_T)),
    "nothing but the original": ("field", lambda one: _swap(one, document(pages=2))),
    "no PDF": ("prefix", lambda one: _swap(one, b"")),
}


@pytest.mark.parametrize("change", list(CHANGES))
def test_the_self_check_finds_what_was_changed(world: World, change: str) -> None:
    content = document(pages=2, change=lambda pdf: setattr(pdf.pages[0].obj, "Annots", Array([])))
    if change == "nothing but the original":
        content = document(pages=2)
    upload = upload_of(content)
    permit = world.permit(upload)
    sealed = world.sealer.seal(upload, permit, INTENT)
    world.sealer.check(upload, sealed, permit, INTENT)
    what, spoil = CHANGES[change]
    with pytest.raises(SelfCheckFailed) as found:
        world.sealer.check(upload, spoil(sealed), permit, INTENT)
    if what:
        assert found.value.details["what"] == what


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("page", [1, 2])
def test_the_self_check_finds_the_seal_on_another_page_too(world: World, page: int, shared: bool) -> None:
    """An update that gives the seal to the other page as well, or lets both pages share one array."""
    upload = upload_of(document(pages=2))
    permit = world.permit(upload, Placement(page=page))
    sealed = world.sealer.seal(upload, permit, INTENT)
    with pikepdf.open(BytesIO(sealed.content)) as pdf:
        (field,) = pdf.pages[page - 1].obj.Annots
        seal = field.objgen
        identities = [one.obj.objgen for one in pdf.pages]
    writer = IncrementalPdfFileWriter(BytesIO(sealed.content))
    annotations: generic.PdfObject = generic.ArrayObject([generic.IndirectObject(*seal, writer.prev)])
    if shared:
        annotations = writer.add_object(annotations)
    for number, identity in enumerate(identities, 1):
        if shared or number != page:
            reference = generic.Reference(*identity, writer.prev)
            changed = reference.get_object()
            assert isinstance(changed, generic.DictionaryObject)
            changed[generic.pdf_name("/Annots")] = annotations
            writer.mark_update(reference)
    out = BytesIO()
    writer.write(out)
    assert out.getvalue().startswith(sealed.content)
    with pytest.raises(SelfCheckFailed) as found:
        world.sealer.check(upload, _swap(sealed, out.getvalue()), permit, INTENT)
    assert found.value.details["what"] == "page"


def test_the_self_check_finds_another_intent_document_or_certificate(world: World) -> None:
    upload, other = upload_of(document()), upload_of(document(pages=2))
    permit = world.permit(upload)
    sealed = world.sealer.seal(upload, permit, INTENT)
    stranger = World(code="99990000000002")
    cases: list[tuple[str, SealingPermit]] = [
        ("document", world.permit(other)),
        ("certificate", stranger.permit(upload)),
    ]
    for what, wrong in cases:
        with pytest.raises(SelfCheckFailed) as found:
            world.sealer.check(upload, sealed, wrong, INTENT)
        assert found.value.details["what"] == what
    with pytest.raises(SelfCheckFailed) as found:
        world.sealer.check(upload, sealed, permit, another_intent(9))
    assert found.value.details["what"] == "intent"


@pytest.mark.parametrize(("level", "what"), [(B_LT, "validation_data"), (B_LTA, "field")])
def test_the_self_check_misses_the_revisions_of_higher_levels(world: World, level: SignatureLevel, what: str) -> None:
    upload = upload_of(document())
    permit = world.permit(upload, level=level)
    sealed = world.sealer.seal(upload, permit, INTENT)
    shorter = sealed.content[: sealed.content[:-6].rindex(b"%%EOF\n") + 6]
    with pytest.raises(SelfCheckFailed) as found:
        world.sealer.check(upload, _swap(sealed, shorter), permit, INTENT)
    assert found.value.details["what"] == what


def test_a_changed_byte_is_found_anywhere_in_the_revision(world: World) -> None:
    upload = upload_of(document())
    permit = world.permit(upload)
    sealed = world.sealer.seal(upload, permit, INTENT)
    start, end = _gap(sealed)
    der_end = start + 1 + len(sealed.content[start + 1 : end - 1].rstrip(b"0"))
    signed = [*range(len(upload.content), start, 97), *range(end, len(sealed.content), 13)]
    for position in [*signed, *range(start, start + 60), *range(start + 60, der_end, 5), *range(der_end, end, 61)]:
        with pytest.raises(SelfCheckFailed):
            world.sealer.check(upload, _flip(sealed, position), permit, INTENT)


def test_a_prepared_impression_is_used_again() -> None:
    world = World()
    world.seal(document())
    world.blobs.kept.clear()
    world.seal(document())


def test_updates_of_updates_are_extended(world: World) -> None:
    """Ten seals one after the other; each is an update of an update."""
    content = document(object_streams=True)
    for number in range(10):
        content = world.seal(
            content, Placement(page=1, x_mm=number, y_mm=number), intent=another_intent(number)
        ).content
    with pikepdf.open(BytesIO(content)) as pdf:
        assert len(pdf.Root.AcroForm.Fields) == 10
