"""Units as they are: what they were seen to hold, and what of that differs from the plan."""
