"""What the user wrote: the topology file, its models and its rules."""
