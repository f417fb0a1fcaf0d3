"""What Python runs as it starts, in each process that a test starts: its folder stands in their PYTHONPATH."""

from guard import hold_to_loopback  # type: ignore[import-not-found]  # found beside this file, where tests has no name

hold_to_loopback()
