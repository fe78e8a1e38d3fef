"""The bundled text encoder, distilled from a sentence model."""
