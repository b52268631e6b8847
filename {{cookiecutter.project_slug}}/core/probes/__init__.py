"""Liveness, readiness and metrics, answered by ports that do not depend on what they report."""
