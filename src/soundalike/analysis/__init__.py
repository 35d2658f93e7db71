"""One file to rows: segments, separation, level gate, window selection, embedding."""
