"""隔离: processes that read untrusted documents, with limits and without keys."""
