"""Musical controls as channels, predicted from a text or transcribed from known music."""
