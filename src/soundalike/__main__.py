"""`python -m soundalike` is the command line."""

from soundalike.cli import main

if __name__ == "__main__":
    main()
