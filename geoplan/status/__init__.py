"""How live units stand at this moment, and what is wrong with that in words. It reads, and never changes anything."""
