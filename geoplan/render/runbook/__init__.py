"""The runbook: what it says, as text in ``content/``, built once from a plan and written by each format."""
