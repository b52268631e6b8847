"""Sessions: the clean-up of those that ended. Their settings: components/sessions.py."""
