"""What is known of an instance and of the services behind it."""
