"""What okgen remembers of clusters that it has rendered, so that it need not render them again to check their trees.

An entry holds what a cluster's index would be, by its SHA-256, with warnings and facts. It counts only for the very
bytes it was made from: cluster.yaml, the files of patches it names, and okgen's own. The tree itself is read each time.
"""
