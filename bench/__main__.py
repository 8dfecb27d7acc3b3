"""`make bench`, or `python -m bench [--only fan_out,ingest] [--runs 5]`."""

import sys

from bench.runner import main

if __name__ == "__main__":
    sys.exit(main())
