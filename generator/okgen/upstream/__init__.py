"""Fetches pinned upstream files, and checks those that were fetched."""

SIZE = 20 * 1024 * 1024  # bytes that a pinned file may have; the largest so far has two million
