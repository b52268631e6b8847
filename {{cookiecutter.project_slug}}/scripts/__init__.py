"""What the Makefile runs when three lines are not enough."""
