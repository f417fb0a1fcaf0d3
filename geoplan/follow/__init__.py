"""People who work by hand from the runbook, watched: which step is seen done, done wrong, or too late."""
