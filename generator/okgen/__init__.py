"""Renders a cluster.yaml into Kustomize and Argo CD trees."""

__version__ = "0.1.0"
