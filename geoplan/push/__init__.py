"""A plan carried out over the API: what is checked, what is done, what is written down, what is proved."""
