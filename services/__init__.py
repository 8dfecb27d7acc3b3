"""The path of an event: from a source to the bytes that a viewer receives. Runs without Dash."""
