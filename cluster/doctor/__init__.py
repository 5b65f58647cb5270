"""`forkast doctor`: what is wrong with a platform and its surroundings, and what to do."""
