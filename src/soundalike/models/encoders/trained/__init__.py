"""Encoders that `soundalike train` trains: D-CSN and Cascade, which hear a mixture and have a vector for each instrument."""
