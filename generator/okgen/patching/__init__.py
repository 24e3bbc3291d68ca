"""What Kustomize makes of rendered objects and patches, without Kustomize; ``adopt`` and ``diff`` build on it."""
