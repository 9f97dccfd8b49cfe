"""The fonts that trainings draw from: print, and more than 70 that imitate handwriting. The tests use others."""

from pathlib import Path

import matplotlib

PRINTED = (
    "DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSansMono", "DejaVuSerif", "DejaVuSerif-Italic",
    "STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "cmr10", "cmss10", "cmtt10",
)  # fmt: skip
PACKAGES = Path(__file__).parents[1] / "fonts/node_modules/@fontsource"  # `make model` installs them


def printed():
    """Return the paths of the printed fonts, which come with matplotlib."""
    return [str(Path(matplotlib.get_data_path(), f"fonts/ttf/{font}.ttf")) for font in PRINTED]


def handwritten():
    """Return the paths of the fonts that imitate handwriting; none if they are not installed."""
    names = sorted(path.name for path in PACKAGES.glob("*"))
    return [str(PACKAGES / name / "files" / f"{name}-latin-400-normal.woff") for name in names]


def require():
    """Raise FileNotFoundError if the fonts that imitate handwriting are not installed."""
    if not handwritten():
        raise FileNotFoundError(f"{PACKAGES}: no fonts; expected those of tools/fonts/package.json: make model")
