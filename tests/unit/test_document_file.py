"""文件内容 in memory: where the machine has no room for it, its sender hears that it is missing for a while."""

from __future__ import annotations

import os
import resource

import pytest

from seal_service.domain.errors import Unavailable
from seal_service.formats.document_file import DocumentFile
from tests.kernel_limits import limited, without_descriptors


def test_what_is_written_is_there_and_cannot_be_changed() -> None:
    file = DocumentFile()
    file.write(b"one ")
    file.write(b"two")
    assert bytes(file.finished()) == b"one two"
    with pytest.raises(PermissionError):
        os.write(file.descriptor, b"three")


def test_a_document_for_which_there_is_no_memory_is_unavailable() -> None:
    file = DocumentFile()
    with limited(resource.RLIMIT_FSIZE, 4096), pytest.raises(Unavailable, match="no room to take in a document"):
        file.write(bytes(8192))
    assert file.size == 4096, "as far as it went"


def test_a_document_for_which_there_is_no_descriptor_is_unavailable() -> None:
    with without_descriptors(), pytest.raises(Unavailable, match="no room to take in a document"):
        DocumentFile()
