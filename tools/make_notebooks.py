"""Write each lesson of the course, in each language, as a notebook into the package: make notebooks.

``hello-mnist lesson --notebook`` copies them from there. They hold no outputs.
"""

import base64
import re
from pathlib import Path

import course
import nbformat
from nbformat import v4

from study_keras import files, quiz

FOLDER = course.ROOT / "src/study_keras/notebooks"
# Jupyter, VS Code and online services open a notebook in environments that may lack the library.
INSTALL = """\
try:
    import study_keras  # the library of this course
except ImportError:
    %pip install --quiet hello-mnist"""


def notebook(page: Path, lesson: Path, language: str) -> nbformat.NotebookNode:
    """Return the section of ``page`` about ``lesson``, the code as code cells, the rest as text cells, and its quiz."""
    sections = re.split(r"^(?=## )", page.read_text(), flags=re.MULTILINE)
    piece = f"```python {lesson.name}\n"
    (section,) = (section for section in sections if piece in section)
    cells, at = [v4.new_code_cell(INSTALL)], 0
    for fence in course.FENCE.finditer(section):
        if fence[0].startswith(piece):
            cells += [text(section[at : fence.start()], page.parent), v4.new_code_cell(fence[3].rstrip("\n"))]
            at = fence.end()
    cells += [text(section[at:], page.parent), *quiz_cells(course.LESSONS.index(lesson), language)]
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"  # so that the file is reproducible
    metadata = {
        "title": section.partition("\n")[0].removeprefix("## "),
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        "language_info": {"name": "python"},
    }
    return v4.new_notebook(cells=[cell for cell in cells if cell.source], metadata=metadata)


def quiz_cells(lesson: int, language: str) -> list[nbformat.NotebookNode]:
    """Return the cells that end a notebook, a heading and the quiz; none if there is no quiz about the lesson."""
    content = quiz.load(language)
    if str(lesson) not in content["lessons"]:
        return []
    heading = v4.new_markdown_cell(f"### {content['words']['title']}\n\n{content['words']['intro']}")
    return [heading, v4.new_code_cell(f'from study_keras import quiz\n\nquiz.show({lesson}, "{language}")')]


def text(markdown: str, folder: Path) -> nbformat.NotebookNode:
    """Return a text cell that can be read anywhere: its pictures are attachments, and no link leads to another page."""
    markdown = re.sub(r"(?<!!)\[([^\[\]\n]+)\]\((?!https?:)[^)]+\)", r"\1", markdown)
    pictures = re.findall(r"\]\(pictures/(.+?)\)", markdown)
    cell = v4.new_markdown_cell(markdown.replace("](pictures/", "](attachment:").strip())
    if pictures:
        content = {name: base64.b64encode((folder / "pictures" / name).read_bytes()).decode() for name in pictures}
        cell.attachments = {name: {"image/png": picture} for name, picture in content.items()}
    return cell


def main(folder: Path = FOLDER) -> None:
    """Write all notebooks to ``folder``: ``hello_mnist_3.ipynb`` in Chinese, ``hello_mnist_3.en.ipynb`` in English."""
    for page in course.PAGES:
        language, suffix = ("en", ".en") if page.name.endswith(".en.md") else ("zh", "")
        for lesson in course.LESSONS:
            with files.atomic_write(files.ensure_writable_dir(folder) / f"{lesson.stem}{suffix}.ipynb") as path:
                nbformat.write(notebook(page, lesson, language), path)


if __name__ == "__main__":
    main()
