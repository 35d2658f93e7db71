"""Feedback on a library: favourites, collections, and answers to "alike?" and "which is closer?".

It is stored in the folder `listening` of the library rather than in its tables: it cannot be recomputed, and is written while
an indexing run holds the tables.
"""
