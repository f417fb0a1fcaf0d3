"""Whatever comes in from outside: environments, files and terminals as nobody would make them on purpose."""
