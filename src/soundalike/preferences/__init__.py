"""Listeners' preferences: triplets and votes, models fitted to them, and how reliable the results are.

Pure functions of arrays and `Triplet`s: nothing here loads a file or a model.
"""
