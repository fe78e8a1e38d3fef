"""The training loop and what all stages share: state, optimiser, averages, sharding, events."""
