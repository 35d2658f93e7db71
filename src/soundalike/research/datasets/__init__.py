"""Published datasets, read as distributed: listeners' answers, and the music that they heard.

No dataset is part of soundalike: `docs/datasets.md` explains where to get them and how to cite them.
"""
