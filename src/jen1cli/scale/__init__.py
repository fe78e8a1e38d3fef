"""Sets of very many pieces: rows of a prompt file, shards, resumption, processes, Ray."""
