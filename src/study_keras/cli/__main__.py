"""``python -m study_keras.cli``: the command where it is not on the path."""

import sys

from study_keras.cli import main

sys.exit(main())
