"""Plans what changes in a cluster's folder, and is the only place that reads or writes it."""
