"""Turns a valid document into a Cluster: defaults, derived facts and every cross-check."""
