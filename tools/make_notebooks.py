"""Write each lesson of the course, in each language, as a notebook to ``output/notebooks``: make notebooks."""

import base64
import re
import sys
from pathlib import Path

import course
import nbformat
from nbformat import v4

from study_keras import files


def notebook(page: Path, lesson: Path) -> nbformat.NotebookNode:
    """Return the section of ``page`` about ``lesson``, its code as code cells and the rest as text cells."""
    sections = re.split(r"^(?=## )", page.read_text(), flags=re.MULTILINE)
    piece = f"```python {lesson.name}\n"
    (section,) = (section for section in sections if piece in section)
    cells, at = [], 0
    for fence in course.FENCE.finditer(section):
        if fence[0].startswith(piece):
            cells += [text(section[at : fence.start()], page.parent), v4.new_code_cell(fence[3].rstrip("\n"))]
            at = fence.end()
    cells.append(text(section[at:], page.parent))
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"  # so that the file is reproducible
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return v4.new_notebook(cells=[cell for cell in cells if cell.source], metadata={"kernelspec": kernel})


def text(markdown: str, folder: Path) -> nbformat.NotebookNode:
    """Return a text cell with its pictures as attachments, so that the notebook can be opened anywhere."""
    pictures = re.findall(r"\]\(pictures/(.+?)\)", markdown)
    cell = v4.new_markdown_cell(markdown.replace("](pictures/", "](attachment:").strip())
    if pictures:
        content = {name: base64.b64encode((folder / "pictures" / name).read_bytes()).decode() for name in pictures}
        cell.attachments = {name: {"image/png": picture} for name, picture in content.items()}
    return cell


def main(folder: Path) -> None:
    """Write all notebooks to ``folder``."""
    for page in course.PAGES:
        for number, lesson in enumerate(course.LESSONS):
            name = f"lesson_{number}{page.name.removeprefix('1_hello_mnist').removesuffix('.md')}.ipynb"
            with files.atomic_write(folder / name) as path:
                nbformat.write(notebook(page, lesson), path)
            print(folder / name)


if __name__ == "__main__":
    main(files.ensure_writable_dir(Path(sys.argv[1]) if sys.argv[1:] else files.output_dir() / "notebooks"))
