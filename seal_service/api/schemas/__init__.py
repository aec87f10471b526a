"""Wire forms: what is sent and answered as JSON; the domain's words, snake_case, times in RFC 3339 (UTC)."""
