"""Music composed by rule: from a style and a seed to a score."""
