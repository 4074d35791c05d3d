"""Lets `python -m epicase_verify` stand for the command."""

import sys

from epicase_verify.cli import main

sys.exit(main())
