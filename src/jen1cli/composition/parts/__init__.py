"""Writers of single parts: drums, bass, chords, melodies, riffs."""
