"""Rig: what the benches of the live path stand on: cores, a real system, load clients in C, peers in Node."""
