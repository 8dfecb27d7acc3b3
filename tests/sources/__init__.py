"""Sources: each against the real thing that it reads."""
