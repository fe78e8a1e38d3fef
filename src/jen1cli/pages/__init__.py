"""HTML pages and pictures that training, evaluation and corpus share."""
