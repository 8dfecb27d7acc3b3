"""The gateway: sockets, publications, and the rules between them. `gateway.py` is its public face."""
