"""Room: one verb a file; each use case is a frozen dataclass of ports whose call is the whole story."""
