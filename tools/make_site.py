"""Build the website, the course, the notes and the page in both languages, into ``output/site``: make site.

Each language is a website of its own, so that its search finds only pages in it. Each lesson of the course becomes a
page, and so does each file of the repository that a page links to.
"""

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import course
from mkdocs.commands.build import build
from mkdocs.config import load_config

from study_keras import files, quiz, startup

SITE = course.ROOT / "tools/site"
MODULES = course.ROOT / "tests/browser/node_modules"
IFRAME_WORKER = MODULES / "iframe-worker/shim/index.js"  # with it the search works in pages opened from the disk
NETWORK = course.ROOT / "src/study_keras/shipped/digits.tfjs"
PICTURES = (".png", ".webp")
SOURCE = {".py": "python", ".js": "js"}  # the languages of source files
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)")
SWITCH = re.compile(r"^\[(?:中文|English)\]\(\S+\)\n+", re.MULTILINE)  # the site has its own
WRAPPED = re.compile(r"(?<=[\u3000-\u9fff\uff00-\uffef])\n(?=[\u3000-\u9fff\uff00-\uffef])")  # Chinese has no spaces
# What the search multiplies a page's score with: a reader's question before the pages for those who change the code.
BOOSTS = {"9_questions": 4, "CONTRIBUTING": 0.25, "SECURITY": 0.25, "CHANGELOG": 0.25}
TERM = re.compile(r"^\| [a-z -]+ \| ([\u4e00-\u9fff]+) \|", re.MULTILINE)  # of the glossary: one word for the search


class Language(NamedTuple):
    """What differs between the languages: the suffixes of files in the root and in notes/, and words of the site."""

    code: str
    name: str
    root: str
    notes: str
    course: str
    page: str
    download: str
    dark: str
    light: str


LANGUAGES = {
    "en": Language(
        "en", "English", "", ".en", "Course", "The page that reads digits", "Download", "Dark mode", "Light mode"
    ),
    "zh": Language("zh", "中文", ".zh-CN", "", "课程", "识别数字的网页", "下载", "深色模式", "浅色模式"),
}


def staged_name(file: Path) -> str:
    """Return the name of the page, or of the picture, that a file of the repository becomes."""
    name = file.relative_to(course.ROOT).as_posix().removeprefix("notes/study_keras/")
    if file.suffix in PICTURES:
        return name
    name = re.sub(r"(\.en|\.zh-CN)?\.md$", "", name)
    return "index.md" if name == "README" else f"{name}.md"


def stage(language: Language, folder: Path) -> list[Any]:
    """Write all pages of a language, and their pictures, to ``folder``, and return MkDocs' navigation."""
    pages = (course.ROOT / "notes/study_keras").glob("*.md")
    notes = sorted(path for path in pages if path.name.endswith(".en.md") == bool(language.notes))
    root = [course.ROOT / name for name in (f"CONTRIBUTING{language.root}.md", "SECURITY.md", "CHANGELOG.md")]
    waiting = [course.ROOT / f"README{language.root}.md", *notes, *root]
    for file in waiting:  # it grows; of two languages of a page the one that is in the navigation comes first
        if not (folder / staged_name(file)).exists():
            waiting += write_page(file, folder / staged_name(file))
    return [
        "index.md",
        {language.course: split_course(language, folder / staged_name(notes[0]))},
        *map(staged_name, notes[1:]),
        {language.page: "../page.html"},
        *map(staged_name, root),
    ]


def write_page(file: Path, target: Path) -> list[Path]:
    """Write a file of the repository as a page, or a picture as it is, and return the files that it links to.

    Raises:
        FileNotFoundError: a linked file is missing.
    """
    files.ensure_writable_dir(target.parent)
    linked: list[Path] = []
    if file.suffix in PICTURES:
        shutil.copyfile(file, target)
    elif file.suffix == ".md":
        text = SWITCH.sub("", file.read_text(), count=1)
        boost = next((boost for name, boost in BOOSTS.items() if file.name.startswith(name)), None)
        head = f"---\nsearch:\n  boost: {boost}\n---\n" if boost else ""
        target.write_text(
            head + "".join(fence(part) if code else lead(part, file, linked) for code, part in split(text))
        )
    else:
        name = file.relative_to(course.ROOT).as_posix()
        language = SOURCE.get(file.suffix, "text")
        target.write_text(f"---\nsearch:\n  exclude: true\n---\n# {name}\n\n````{language}\n{file.read_text()}````\n")
    return linked


def lead(prose: str, page: Path, linked: list[Path]) -> str:
    """Return prose whose links lead to the staged files, and add these files to ``linked``."""

    def target(match: re.Match[str]) -> str:
        file = (page.parent / match[1]).resolve(strict=True)
        linked.append(file)
        return f"]({'../' * staged_name(page).count('/')}{staged_name(file)}"

    return WRAPPED.sub("", LINK.sub(target, prose))


def split(text: str) -> Iterator[tuple[bool, str]]:
    """Yield the prose and the code blocks of a text in their order, each with whether it is code."""
    at = 0
    for block in course.FENCE.finditer(text):
        yield False, text[at : block.start()]
        yield True, block[0]
        at = block.end()
    yield False, text[at:]


def fence(block: str) -> str:
    """Return a code block without the name behind its language, which is the title of a change of that file."""
    block = re.sub(r"^```diff (\S+)", r'```diff title="\1"', block)
    return re.sub(r"^```(\w+) [\w.]+\n", r"```\1\n", block)


def split_course(language: Language, page: Path) -> list[str]:
    """Give each section of the course, from the first lesson on, a page of its own, and return the names of all.

    The page of a lesson begins with links to its script and its notebook, and ends in its quiz.
    """
    parts = re.split(r"^(?=## )", page.read_text(), flags=re.MULTILINE)
    first = next(number for number, part in enumerate(parts) if "\n```python" in part)
    page.write_text("".join(parts[:first]))
    names = [page.name]
    for number, part in enumerate(parts[first:]):
        raised = (piece if code else re.sub(r"^##", "#", piece, flags=re.MULTILINE) for code, piece in split(part))
        heading, _, text = "".join(raised).partition("\n")
        if number < len(course.LESSONS):
            text = (
                f"\n{downloads(language, course.LESSONS[number], page.parent)}\n{text}{quiz_section(language, number)}"
            )
        names.append(f"{page.stem}_{number}.md")
        page.with_name(names[-1]).write_text(f"{heading}\n{text}")
    return names


def quiz_section(language: Language, lesson: int) -> str:
    """Return the quiz about a lesson as a section of its page; empty if there is none."""
    content = quiz.load(language.code)
    if str(lesson) not in content["lessons"]:
        return ""
    title, intro = content["words"]["title"], content["words"]["intro"]
    return f"\n## {title}\n\n{intro}\n\n{quiz.show(lesson, language.code).html}\n"


def downloads(language: Language, lesson: Path, folder: Path) -> str:
    """Copy a lesson's script and notebook to ``folder``, and return a line with links to them."""
    copies = lesson, lesson.parent / "notebooks" / f"{lesson.stem}{language.notes}.ipynb"
    for file in copies:
        shutil.copyfile(file, folder / file.name)
    return f"{language.download} {', '.join(f'[`{file.name}`]({file.name}){{ download }}' for file in copies)}\n"


def palette(language: Language) -> list[dict[str, Any]]:
    """Return the colours: light or dark as the system has it, until the reader changes it."""
    return [
        {
            "media": f"(prefers-color-scheme: {preferred})",
            "scheme": scheme,
            "primary": "indigo",
            "accent": "indigo",
            "toggle": {"icon": icon, "name": other},
        }
        for preferred, scheme, icon, other in (
            ("light", "default", "material/weather-night", language.dark),
            ("dark", "slate", "material/weather-sunny", language.light),
        )
    ]


def write_language(code: str, other: str, folder: Path) -> None:
    """Build the website in the language ``code`` into a folder, with a link to the ``other`` on each page."""
    with files.temporary_folder() as temporary:
        pages, words = temporary / "pages", temporary / "words.txt"
        navigation = stage(LANGUAGES[code], pages)
        shutil.copytree(SITE / "assets", pages / "assets")
        shutil.copy(IFRAME_WORKER, pages / "assets/iframe-worker.js")
        words.write_text("\n".join(TERM.findall(course.PAGES[0].read_text())))
        config = load_config(str(SITE / "mkdocs.yml"), docs_dir=str(pages), site_dir=str(folder), nav=navigation)
        config.theme.static_templates.clear()  # a page for errors and a sitemap, which need the site's address
        config.theme["language"] = code
        config.theme["palette"] = palette(LANGUAGES[code])
        config.plugins["material/search"].config["jieba_dict_user"] = str(words)
        config.extra["other"] = {"code": other, "name": LANGUAGES[other].name}
        build(config)


def main(folder: Path) -> None:
    """Replace ``folder`` with the website: a folder for each language, and the page for both."""
    startup.import_keras()
    from study_keras.serve.single_file import convert_page

    with files.atomic_folder(folder) as site:
        files.ensure_writable_dir(site)
        for code, other in (("en", "zh"), ("zh", "en")):
            write_language(code, other, site / code)
        shutil.copyfile(SITE / "index.html", site / "index.html")
        convert_page(NETWORK, site / "page.html")
    print(folder / "index.html")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else files.output_dir() / "site")
