"""What people say of a library's sounds: favourites, and answers to "alike?" and "which is closer?".

All of it lies in the folder `listening` of the library, beside the tables and not in them: it cannot be made again, and is
written while an indexing run holds the tables.
"""
