"""What an API server is given: each file here asks one question of the rendered manifests."""
