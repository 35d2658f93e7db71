"""Training of the systems that the paper compares with and nobody publishes: D-CSN, and Cascade with and without PAFT."""
