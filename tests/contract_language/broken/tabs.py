"""A fee desk."""
def run():
	return 1
