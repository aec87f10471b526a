"""测量: `make bench` measures what the service promises about its speed, and keeps the history."""
