"""Makes one animated picture of many: python animate.py FOLDER TARGET.webp

FOLDER has the frames as .png files, in the order of their names.
"""

import sys
from pathlib import Path

from PIL import Image

WIDTH, MILLISECONDS, LAST = 680, 200, 2500  # pixels of the picture, a frame's time, and that of the last one

folder, target = sys.argv[1:]
frames = [Image.open(path).convert("RGB") for path in sorted(Path(folder).glob("*.png"))]
height = round(WIDTH * frames[0].height / frames[0].width)
first, *others = [frame.resize((WIDTH, height), Image.Resampling.LANCZOS) for frame in frames]
times = [MILLISECONDS] * len(others) + [LAST]
first.save(target, save_all=True, append_images=others, duration=times, loop=0, quality=66, method=6)
