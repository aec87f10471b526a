"""Room: structured, redacted logs and health."""
