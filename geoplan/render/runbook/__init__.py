"""The runbook's content, built once from a plan and given its voice by a template for each format."""
