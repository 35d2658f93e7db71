"""Datasets that others made, read as they are distributed: what listeners answered, and the music that they heard.

Import from the modules. Neither dataset comes with soundalike: `docs/datasets.md` says where to get them and how to cite them.
"""
