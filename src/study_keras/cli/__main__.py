"""``python -m study_keras.cli``: the command if it is not on the PATH."""

import sys

from study_keras.cli import main

sys.exit(main())
