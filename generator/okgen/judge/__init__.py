"""Holds a document against the JSON Schema that the core and the add-ons make together."""
