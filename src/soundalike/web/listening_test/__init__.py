"""The server of a listening test: personal links, one trial after the other, answers committed before the next trial."""
