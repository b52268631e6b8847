"""`make bench`: what each middleware adds to a request, in microseconds of CPU."""
