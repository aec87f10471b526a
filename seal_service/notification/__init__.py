"""Room: telling others what happened, by webhook and by mail."""
