"""The training loop, and its state, optimiser, averaging, sharding and events."""
