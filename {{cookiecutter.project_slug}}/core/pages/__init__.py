"""The pages every site has: errors for people, robots.txt, security.txt and the favicon."""
