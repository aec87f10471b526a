"""Rows of each aggregate, behind the ports of `ports.records`; every statement runs in the acting transaction."""
