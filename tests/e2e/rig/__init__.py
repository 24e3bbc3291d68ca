"""Runs what okgen renders on the real programs, as plain processes in a network of their own."""
