"""What a file, its name and its sound say: tags, loop chunks, tempo, key and loudness, resolved into facts."""
