"""The wiring: the only room that reads the environment and knows all the others."""
