"""What the benches with a browser share: the served bench project, Chromium, a producer, and what was seen when."""
