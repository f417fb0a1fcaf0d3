"""The simulated units: each one, its pair, its partners, and the GEO configuration that they share."""
