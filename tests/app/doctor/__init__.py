"""The doctor: each check is made to fail for real, and a good installation passes."""
