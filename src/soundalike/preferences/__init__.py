"""Preferences: what listeners answered, models of it, and how far those can be trusted.

Pure functions of arrays and of `Triplet`s; nothing here loads a file or a model.
"""
