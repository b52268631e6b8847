"""Static files: WhiteNoise, with one number changed."""
