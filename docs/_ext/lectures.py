"""Make exercise sheets and slides from the tutorials.

A sheet is made from the solutions: the functions and methods of a solution become stubs, and the lines that call and judge them stay as tests. In a solution
without functions the assertions stay, with the loops around them, and the other lines become places for the reader's own lines. A place says which
names and entries of dictionaries are read by the tests below it, those of later cells too. A cell without a test says so.

Slides are one page of HTML for each tutorial, a slide for each section, with its formulas, its first picture and its claims.
A slide shows how each paragraph begins, up to the first full stop, or farther where there are two paragraphs at most; the whole text is in the notes below, which the key N shows. Arrow keys, Page Up and
Page Down go from slide to slide. Formulas are set by the site's own script, so that the slides work offline.
"""

import ast
import base64
import dis
import html
import itertools
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

import nbformat
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

EXERCISE = re.compile(r"^(\d+)\. (.*?)(?=^\d+\. |\Z)", flags=re.MULTILINE | re.DOTALL)
HEAD = (
    "Replace each `...` and each `raise`. A cell that runs without an error has passed its tests; a cell without a test says so. "
    "Where an exercise leaves a choice to you, the tests are for the choice of the worked solution: change their numbers to yours."
)


def exercises(tutorial: nbformat.NotebookNode) -> dict[str, str]:
    """Return number -> text of the exercises of a tutorial, whose last section lists them."""
    text = "\n\n".join(cell.source for cell in tutorial.cells if cell.cell_type == "markdown")
    listed = text.partition("\n## Exercises\n")[2].partition("\n[worked solutions]")[0]
    return {number: " ".join(line.split()) for number, line in EXERCISE.findall(listed)}


def stub(code: str, needed: set[str] | None = None) -> str:
    """Return the cell of a sheet for the cell of a solution.

    Statements stay in their order. In a cell without functions, what is neither an import nor a test becomes a place for the reader's own lines.
    `needed` are the names that the cells below read. Afterwards they are those that this cell and the cells below read.
    """
    needed = set() if needed is None else needed
    body = ast.parse(code).body
    has_functions = any(isinstance(node, ast.FunctionDef) for node in body)
    has_test = any(_tests(node) for node in body)
    kept = [has_functions or isinstance(node, ast.Import | ast.ImportFrom) or _tests(node) for node in body]
    parts: list[str] = []
    runs = itertools.groupby(zip(kept, body, strict=True), key=lambda pair: pair[0])
    for is_kept, pairs in reversed([(is_kept, list(pairs)) for is_kept, pairs in runs]):
        nodes = [node for _, node in pairs]  # backwards, as `needed` is known from below
        if is_kept:
            part = _without_bodies(code, nodes)
            reads, stores = _names(part)
            needed -= stores
            needed |= reads
        else:
            part = _place(nodes, needed, is_shown=not has_test)
        parts.insert(0, part)
    remark = "" if has_test else "# this cell has no test\n"
    return remark + "\n\n".join(filter(None, parts))


def sheet(tutorial: nbformat.NotebookNode, solution: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return the sheet of a tutorial: its exercises, each with stubs and tests, after the cell that the solutions begin with."""
    texts, needed = exercises(tutorial), set[str]()
    title = re.search(r"^# (.+)$", "\n".join(cell.source for cell in tutorial.cells), flags=re.MULTILINE)
    cells = []
    for place, cell in reversed(list(enumerate(solution.cells))):
        number = re.search(r"^## Exercise (\d)", cell.source, flags=re.MULTILINE)
        if cell.cell_type == "code":
            above = any("## Exercise" in one.source for one in solution.cells[:place])
            source = stub(cell.source, needed) if above else cell.source
            cells.append(nbformat.v4.new_code_cell(source))
        elif number:
            text = f"## Exercise {number[1]}\n\n{texts[number[1]]}"
            cells.append(nbformat.v4.new_markdown_cell(text))
    cells.append(nbformat.v4.new_markdown_cell(f"# Exercises to {title and title[1]}\n\n{HEAD}"))
    made: nbformat.NotebookNode = nbformat.v4.new_notebook(metadata=solution["metadata"])
    for place, cell in enumerate(reversed(cells)):
        cell["id"] = f"cell-{place}"
        made.cells.append(cell)
    nbformat.validate(made)
    return made


def _names(code: str) -> tuple[set[str], set[str]]:
    """Return the global names that code reads before it defines them, and those that it defines."""
    reads: set[str] = set()
    stores: set[str] = set()

    def follow(part: CodeType, own: set[str]) -> None:
        for step in dis.get_instructions(part):
            if step.opname == "STORE_NAME":
                own.add(step.argval)
            elif step.opname in ("LOAD_NAME", "LOAD_GLOBAL") and step.argval not in own:
                reads.add(step.argval)
            elif isinstance(step.argval, CodeType):
                follow(step.argval, set(own))

    follow(compile(code, "cell", "exec"), stores)
    return reads, stores


def _place(nodes: list[ast.stmt], needed: set[str], *, is_shown: bool) -> str:
    """Return the place for the reader's own lines, which says what code below needs of them: names, and entries of a dictionary that is defined above.

    Without such names and entries the place is empty, unless it is to be shown. Names that the lines define are removed from `needed`.
    """
    stores = _names("\n".join(map(ast.unparse, nodes)))[1]
    names = sorted(stores & needed)
    needed -= stores
    entries = {
        ast.unparse(target): None
        for node in nodes
        for target in ast.walk(node)
        if isinstance(target, ast.Subscript) and isinstance(target.ctx, ast.Store)
        if ast.unparse(target.value) in needed
    }
    said = [f"defines {', '.join(names)}"] if names else []
    said += [f"sets {', '.join(entries)}"] if entries else []
    if not said and not is_shown:
        return ""
    return "# your code" + (f", which {' and '.join(said)}" if said else "") + "\n..."


def _without_bodies(code: str, nodes: list[ast.stmt]) -> str:
    """Return the lines of statements; functions and the methods of classes have no bodies."""
    lines = code.splitlines()
    n_below = len(lines) - (nodes[-1].end_lineno or 0)
    parts = [part for node in nodes for part in (node.body if isinstance(node, ast.ClassDef) else [node])]
    for part in reversed(parts):
        if isinstance(part, ast.FunctionDef):
            doc = ast.get_docstring(part)
            made = f"def {part.name}({ast.unparse(part.args)}):\n"
            made += textwrap.indent(f'"""{doc}"""\n', "    ") if doc else ""
            made += f'    raise NotImplementedError("{part.name} is your part")'
            lines[part.lineno - 1 : part.end_lineno] = textwrap.indent(made, " " * part.col_offset).splitlines()
    return "\n".join(lines[nodes[0].lineno - 1 : len(lines) - n_below])


def _tests(node: ast.stmt) -> bool:
    """Return whether a statement asserts something, inside a loop too; functions and classes do not count."""
    return not isinstance(node, ast.FunctionDef | ast.ClassDef) and any(
        isinstance(part, ast.Assert) or (isinstance(part, ast.Attribute) and part.attr.startswith("assert_"))
        for part in ast.walk(node)
    )


MOST_POINTS, MOST_ITEMS, MOST_FORMULAS = 4, 7, 2
DISPLAY = re.compile(r"^\$\$\n(.*?)\n\$\$$", flags=re.MULTILINE | re.DOTALL)
CODE = re.compile(r"^```.*?^```$", flags=re.MULTILINE | re.DOTALL)
# after a full stop, also an emphasised one, but not after a number that begins a paragraph or an abbreviation
FULL_STOP = re.compile(r"(?:(?<=[.!?])|(?<=[^*][.!?]\*))(?<!\*\*\d\.)(?<!\beq\.)(?<!\bFig\.)\s+(?=[A-Z(*])")
LISTED = re.compile(r"^(?:-|\d\.) (.+(?:\n +.+)*)", flags=re.MULTILINE)
ENDS = (".", "?", "!", ".*", "?*", "**", ")")  # what ends in a formula or a list says nothing alone
NOTEBOOK = re.compile(r"\]\((?!\w+:)([^)#\s]+)\.ipynb")  # a link to another notebook
# tables, lists, and what follows a formula; a link that is alone in its paragraph
NO_PROSE = re.compile(r"[#|>\-<a-z(]|\$\$|\d+\.|Next:|\[[^\]]*\]\([^)]*\)\.?$")
SHORT = 36  # characters of a beginning that needs what follows
# what a slide does not show: cells, their outputs, and places on a page
ELSEWHERE = re.compile(
    r"\b(?:(?:next|this|first|last) (?:cell|line|column|picture|film|table)|second line|end of each line|printed|"
    r"prints|[Hh]ere are|[Tt]he (?:list|film|last one)\b|these numbers|above|below|[Ff]or comparison)\b"
)
PAGE = Path(__file__).with_name("slides.html")  # with @title@, @slides@ and @page@


def _math(content: str, options: dict[str, object]) -> str:
    """Return a formula in the marks that the script of the site reads."""
    mark = "[]" if options["display_mode"] else "()"
    return f"\\{mark[0]}{html.escape(content)}\\{mark[1]}"


MARKDOWN = (
    MarkdownIt("commonmark", {"html": False}).enable("table").use(dollarmath_plugin, double_inline=True, renderer=_math)
)


def sections(notebook: nbformat.NotebookNode) -> Iterator[tuple[str, str, str]]:
    """Yield heading, text and first picture of the title and of each section."""
    heading, text, picture = "", "", ""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            picture = picture or _picture(cell)
            continue
        for part in re.split(r"^(?=#{1,2} )", cell.source, flags=re.MULTILINE):
            if match := re.match(r"#{1,2} ([^\n]+)\n?", part):
                if heading:
                    yield heading, text, picture
                heading, text, picture = match[1], part[match.end() :], ""
            else:
                text += f"\n\n{part}"
    yield heading, text, picture


def slide(heading: str, text: str, picture: str, rank: int = 2) -> str:
    """Return one slide: how its paragraphs begin as points, formulas and picture beside them, the whole text as notes; nothing for code alone."""
    text = NOTEBOOK.sub(r"](../tutorials/\1.html", text)
    formulas = "\n\n".join([match[0] for match in DISPLAY.finditer(text)][:MOST_FORMULAS])
    formulas = re.sub(r"\s*,?\s*\\tag\{[^}]*\}|\s*,(?=\s*\$\$)", "", formulas)
    prose = CODE.sub("", DISPLAY.sub("", text)).split("\n\n")
    said = [" ".join(one.split()) for one in prose]
    items = [" ".join(one.split()) for one in LISTED.findall(text)]
    if heading == "Exercises":
        points = items  # as a whole: the task is mostly at the end
    else:
        said = [one for one in said if one and not NO_PROSE.match(one)]
        points = _openings(said)[:MOST_POINTS] or _openings(items)[:MOST_ITEMS]
    left = MARKDOWN.render("\n".join(f"- {point}" for point in points))
    right = MARKDOWN.render(formulas) + picture
    columns = "".join(f"<div>{part}</div>" for part in (left, right) if part.strip())
    if not columns and rank > 1:
        return ""
    return (
        f"<section>\n<h{rank}>{MARKDOWN.renderInline(heading)}</h{rank}>\n"
        f'<div class="body">{columns}</div>\n<div class="notes">{MARKDOWN.render(text)}</div>\n</section>'
    )


def _openings(paragraphs: list[str]) -> list[str]:
    """Return how paragraphs begin, without those whose beginning says nothing alone or is about what a slide does not show.

    Of one or two of them a slide shows more.
    """
    found = []
    for one in paragraphs:
        sentences = FULL_STOP.split(one)
        said = list(itertools.takewhile(lambda sentence: not ELSEWHERE.search(sentence), sentences))
        least = 2 if len(sentences[0]) < SHORT else 1
        if len(said) >= min(least, len(sentences)):
            found.append((least, said))
    more = {1: 3, 2: 2}.get(len(found), 1)
    openings = [" ".join(said[: max(least, more)]) for least, said in found]
    return [one for one in openings if one.endswith(ENDS)]


def deck(notebook: nbformat.NotebookNode, page: str) -> str:
    """Return the slides of a tutorial as one page."""
    title, *found = sections(notebook)
    slides = [slide(*title, rank=1), *(slide(*section) for section in found)]
    parts = {"title": html.escape(title[0]), "slides": "\n".join(filter(None, slides)), "page": page}
    return re.sub(r"@(\w+)@", lambda name: parts[name[1]], PAGE.read_text(encoding="utf-8"))


def _picture(cell: nbformat.NotebookNode) -> str:
    """Return the first picture that a cell shows, as an image whose data are part of the page."""
    alternative = html.escape(cell.metadata.get("alt", "the picture of this section"), quote=True)
    for output in cell.get("outputs", ()):
        data = output.get("data", {})
        code = data.get("image/png", "").replace("\n", "")
        kind = "svg+xml" if "image/svg+xml" in data else "png"
        if kind == "svg+xml":
            code = base64.b64encode(data["image/svg+xml"].encode()).decode()
        if code:
            return f'<img alt="{alternative}" src="data:image/{kind};base64,{code}">'
    return ""
