"""`python -m consortium` is the command line."""

import sys

from consortium.cli import main

sys.exit(main())
