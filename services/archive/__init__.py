"""Archive: every accepted event and every delta, kept beyond the broker, once each."""
