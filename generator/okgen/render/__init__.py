"""Turns a Cluster into the texts of its tree."""
