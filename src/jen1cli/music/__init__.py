"""Music as symbols: chords, keys, drum patterns, melodies, and the controls made of them."""
