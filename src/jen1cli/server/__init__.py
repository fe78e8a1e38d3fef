"""HTTP server over a warm model: music, jobs with progress, and takes that are kept (`serve`)."""
