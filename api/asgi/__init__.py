"""HTTP ground below the doors: bodies, origins, errors, the page."""
