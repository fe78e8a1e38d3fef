"""Renders a score to 48 kHz stereo audio: instruments, effects, mix and mastering."""
