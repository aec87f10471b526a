"""Shelf: how bytes are read and written; no I/O, no policy."""

from seal_service.formats.definite_lengths import mend

mend()  # before any codec reads a byte, so that none of them, nor pyHanko, meets the fault
