"""Load: brings a staging deployment to the contract's envelope from outside, and says what gave way first."""
