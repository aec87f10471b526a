"""Room: verifies sealed documents (验章): facts, then findings, then an indication."""
