"""Reads cluster.yaml into plain data that knows the place of every key and value."""
