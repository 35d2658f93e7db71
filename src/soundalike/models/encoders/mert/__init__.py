"""MERT."""
