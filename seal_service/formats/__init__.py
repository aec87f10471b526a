"""Shelf: how bytes are read and written; no I/O, no policy."""
