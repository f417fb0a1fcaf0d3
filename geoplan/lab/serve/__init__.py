"""The simulated units on sockets of loopback, and the process that serves them."""
