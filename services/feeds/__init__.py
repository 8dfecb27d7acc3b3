"""The feeds of the demo, one file each. A team's own stand beside them."""
