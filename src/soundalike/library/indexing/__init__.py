"""Bringing a library up to date with its folders: scan, decide, analyse, commit."""
