"""Fetches pinned upstream files, and checks those that were fetched."""
