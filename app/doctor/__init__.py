"""Doctor: looks at settings, declarations and surroundings, and says what to do about each fault.

Each check is a small object of its own; `examination` puts those of this machine in order, `link` those of a client's.
"""
