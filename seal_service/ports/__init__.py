"""Shelf: what the rooms and use cases ask of the outside, as small Protocols.

Each docstring states durability and concurrency. `seal_service.testing` has a fake for each.
"""
