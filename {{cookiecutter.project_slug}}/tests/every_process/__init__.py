"""What each Python process of a test run does before anything else; on PYTHONPATH of all."""
