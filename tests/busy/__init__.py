"""A project whose source keeps the interpreter to itself for seconds, as reading a large file may."""
