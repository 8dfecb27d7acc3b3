"""Accounts: who asks, and what they may do. One function, `can`, answers for every door.

`principal` has the rule, `roles` reads the project's roles file, `register` keeps local accounts, `sessions` who is
signed in, `grants` what of it changed, `keys` the ingest keys, `audit` what is recorded of all that. What stands here
needs neither a database nor a broker.
"""

from services.accounts.grants import SETTLED, Grants
from services.accounts.keys import IngestKeys
from services.accounts.principal import OPEN, Action, Principal, can

__all__ = ["OPEN", "SETTLED", "Action", "Grants", "IngestKeys", "Principal", "can"]
