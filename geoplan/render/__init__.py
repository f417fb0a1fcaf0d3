"""A plan for people and other tools: one module a format, each with ``render(plan) -> str``."""
