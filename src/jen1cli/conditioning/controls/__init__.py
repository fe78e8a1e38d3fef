"""Musical controls as channels; prediction from text, transcription from known music."""
