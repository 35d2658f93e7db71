"""Updating a library from its folders: scan, decide, analyse, commit."""
