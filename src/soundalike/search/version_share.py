"""How much two songs must have in common to be versions of one another. Imports nothing, so that help texts can show it."""

MOST_OF_IT = 0.6
"""Share of the windows of the shorter song that must equal windows of the other, unless a search asks for another."""
