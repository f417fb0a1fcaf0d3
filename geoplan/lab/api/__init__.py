"""The API of a simulated unit: requests in, answers out, in both wire formats."""
