"""Tests of the look: what pages declare, what is drawn, and what is refused."""
