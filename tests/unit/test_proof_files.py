"""How several proofs in one text are told apart."""

from __future__ import annotations

import pytest

from seal_service.formats.proof_files import PROOF_HEADER, proofs_in

FIRST = f"{PROOF_HEADER}\nextra AA==\nindex 1\n\nlog.example\n2\nroot\n\n— log.example sig\n".encode()
SECOND = FIRST.replace(b"index 1", b"index 2")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", []),
        (b" \n", []),
        (FIRST, [FIRST]),
        (FIRST + SECOND, [FIRST, SECOND]),
        (FIRST + SECOND + FIRST, [FIRST, SECOND, FIRST]),
        (b"not a proof", [b"not a proof"]),
        (b"before\n" + FIRST, [b"before\n", FIRST]),
        (FIRST.replace(b"@v1\n", b"@v10\n"), [FIRST.replace(b"@v1\n", b"@v10\n")]),
    ],
)
def test_each_goes_to_the_next_ones_first_line(content: bytes, found: list[bytes]) -> None:
    assert proofs_in(content) == found
