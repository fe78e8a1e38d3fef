"""Training of the paper's two stages: masked autoencoder, then omnidirectional diffusion.

Input: a folder of music (`jen1cli.manifest`); output: a weight set for `Jen1.load`. The package
does not print: progress is reported as events (`jen1cli.training.engine.events`).
"""
