"""Renders a cluster.yaml into Kustomize and Argo CD trees."""

from time import time_ns

__version__ = "0.1.0"
LOADED = time_ns()  # since 1970; when the first of okgen's modules was read: files that are older are what runs here
