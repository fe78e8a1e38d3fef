"""Training of the paper's two stages: masked autoencoder, then omnidirectional diffusion.

A folder of music (`jen1cli.manifest`) becomes a weight set that `Jen1.load` opens. Nothing here
knows a terminal: progress is reported through listeners (`jen1cli.training.engine.events`).
"""
