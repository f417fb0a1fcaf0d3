"""Pages on loopback, for the person at this computer alone."""
