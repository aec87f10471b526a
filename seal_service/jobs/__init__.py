"""Door: work that nobody calls for, done on a schedule."""
