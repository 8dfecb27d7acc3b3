"""Contract: what was promised, as code: the nouns of `contract.toml`, their reading and their check."""
