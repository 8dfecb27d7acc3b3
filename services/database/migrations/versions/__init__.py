"""The changes themselves; each names its predecessor in `down_revision`."""
