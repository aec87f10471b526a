"""网页: pages for people, made on the server; no script runs in the browser."""
