"""Room: the signing log (签章日志): events become canonical leaves."""
