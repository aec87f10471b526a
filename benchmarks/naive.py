"""What pyHanko's documentation shows, done as it shows it: the other side of every ratio."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from pyhanko import stamp
from pyhanko.pdf_utils.images import PdfImage
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter

from benchmarks.documents import SEAL_MM, impression_png
from benchmarks.office import GrantedSeal, Office
from seal_service.usecases.answer_pki import PkiMatter

_POINTS_A_MM = 72 / 25.4


@dataclass
class NaiveSigning:
    """`PdfSigner` with a stamp style over a `PdfImage`, fresh for every document, all else at its default."""

    office: Office
    granted: GrantedSeal
    directory: Path
    _key: Path = field(init=False)
    _certificate: Path = field(init=False)
    _chain: Path = field(init=False)
    _picture: Path = field(init=False)

    def __post_init__(self) -> None:
        self.directory.mkdir(mode=0o700)
        credential = self.granted.seal.signing_credential()
        assert credential is not None
        private_key = load_der_private_key(self.office.private_key(self.granted), None)
        certificate = x509.load_der_x509_certificate(credential.certificate)
        chain = [PkiMatter.ISSUING_CERTIFICATE, PkiMatter.ROOT_CERTIFICATE]
        authorities = [x509.load_der_x509_certificate(self.office.published(one)) for one in chain]
        self._key = self._written(
            "key.pem", private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )
        self._certificate = self._written("certificate.pem", certificate.public_bytes(Encoding.PEM))
        self._chain = self._written("chain.pem", b"".join(one.public_bytes(Encoding.PEM) for one in authorities))
        self._picture = self._written("impression.png", impression_png())

    def signer(self) -> signers.SimpleSigner:
        """Key, certificate and chain from their files."""
        loaded = signers.SimpleSigner.load(str(self._key), str(self._certificate), ca_chain_files=(str(self._chain),))
        assert isinstance(loaded, signers.SimpleSigner)
        return loaded

    def sign(self, content: bytes, signer: signers.SimpleSigner, page: int) -> bytes:
        """The signed document."""
        side = round(SEAL_MM * _POINTS_A_MM)
        pdf_signer = signers.PdfSigner(
            signers.PdfSignatureMetadata(field_name="Signature1", subfilter=SigSeedSubFilter.PADES),
            signer=signer,
            stamp_style=stamp.StaticStampStyle(background=PdfImage(str(self._picture))),
            new_field_spec=SigFieldSpec("Signature1", on_page=page, box=(360, 70, 360 + side, 70 + side)),
        )
        out: BytesIO = pdf_signer.sign_pdf(IncrementalPdfFileWriter(BytesIO(content)))
        return out.getvalue()

    def loading_each_time(self, content: bytes, page: int = -1) -> Callable[[], bytes]:
        """With the signer loaded for every document."""
        return lambda: self.sign(content, self.signer(), page)

    def loaded_once(self, content: bytes, page: int = -1) -> Callable[[], bytes]:
        """With a signer that is loaded once, now."""
        signer = self.signer()
        return lambda: self.sign(content, signer, page)

    def _written(self, name: str, content: bytes) -> Path:
        path = self.directory / name
        path.touch(mode=0o600)
        path.write_bytes(content)
        return path
