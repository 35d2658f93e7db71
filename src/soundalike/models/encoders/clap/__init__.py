"""LAION-CLAP."""
