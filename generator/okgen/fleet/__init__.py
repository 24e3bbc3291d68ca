"""Many clusters in one run: two passes, what they may not share, and trees that nothing renders."""
