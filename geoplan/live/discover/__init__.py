"""Live units into the topology that they are: who belongs, pairs, groups, names, and what does not fit together."""
