"""Mail leaves a non-production environment to the domains that are named, and to nobody else."""
