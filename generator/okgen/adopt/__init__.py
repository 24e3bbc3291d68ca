"""Turns a hand edit of a rendered object into a Kustomize patch in cluster.yaml. Only ``okgen adopt`` imports it."""
