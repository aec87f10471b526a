"""Room: applies a seal to a document, on a permit and on nothing else."""
