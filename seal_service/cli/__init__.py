"""Door: the `seal` command, one file a noun."""
