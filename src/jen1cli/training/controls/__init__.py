"""Networks that predict and transcribe musical controls."""
