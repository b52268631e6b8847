"""How the server processes are sized, watched and stopped."""
