"""可观测性: what a running service tells its operators: log lines and metrics."""
