"""Say plainly when the interpreter is too old."""

import sys

if sys.version_info < (3, 11):
    sys.exit(
        f"allthepoints needs Python 3.11 or newer; {sys.executable} is {sys.version.split()[0]}.\n\n"
        "Name another one: make PYTHON=python3.12 ..."
    )
