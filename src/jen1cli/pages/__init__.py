"""HTML pages and images, shared by training, evaluation and corpus."""
