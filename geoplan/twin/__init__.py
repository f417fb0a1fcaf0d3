"""The twin: a topology, or live units as they are, in the lab's simulation, where everything can be tried."""
