"""What becomes of the text of a tutorial: directives for the site's readers, and Markdown that any notebook viewer shows.

The directive `:::{explorer} part=bases&degree=2` shows one part of the explorer in the state of that address; its text says what to try. A browser that
opens the page from a file shows it too; notebooks have a link in its place. The cell that checks a tutorial's claims is folded.

In notebooks, equations with a label get the number that they have on the site, references to them name that number, excerpts of code are quoted with
the address of their file, boxes become quotations, and links lead to other notebooks of the archive or to the repository.
"""

import html
import posixpath
import re
import textwrap
import tomllib
from collections.abc import Mapping
from urllib.parse import quote, urlencode

import tree
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import relative_uri
from sphinx.util.docutils import SphinxDirective

PARTS = {"bases": "basis functions and a curve", "edge": "an edge", "network": "a network", "training": "training"}
CHECKED = "The claims of this page, checked"
CHECK = re.compile(
    r"(?P<before>^## Check\n(?:(?!^```).)*?^```\{code-cell\} ipython3\n)(?:---\n.*?^---\n|:tags: \[[\w, -]*\]\n\n?)?",
    flags=re.MULTILINE | re.DOTALL,
)


def read_address(text: str) -> tuple[str, str]:
    """Return (part, address) of a text such as "part=training&target=x + y", whose values the address has in their encoded form.

    Raises
    ------
    ValueError
        "the explorer has no part 'curve'; its parts are ..."
    """
    values = dict(pair.partition("=")[::2] for pair in text.split("&"))
    part = values.get("part", "")
    if part not in PARTS:
        raise ValueError(f"the explorer has no part {part!r}; its parts are {', '.join(PARTS)}")
    return part, urlencode(values, quote_via=quote)


class Explorer(SphinxDirective):
    """A part of the explorer in a frame, with the text of the directive and a link to the whole page."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return the frame."""
        try:
            part, address = read_address(self.arguments[0])
        except ValueError as error:
            raise self.error(str(error)) from error
        page = relative_uri(f"{self.env.docname}.html", "docs/explorer/index.html")
        whole = html.escape(f"{page}?{address}", quote=True)
        frame = (
            f'<iframe class="explorer" title="Explorer: {PARTS[part]}" loading="lazy" src="{whole}&amp;only"></iframe>'
            f'<p class="explorer-link"><a href="{whole}">Open this part of the explorer alone</a></p>'
        )
        box = nodes.container(classes=["explorer-box"])
        box += [*self.parse_content_to_nodes(), nodes.raw("", frame, format="html")]
        return [box]


def fold_check(app: Sphinx, page: str, source: list[str]) -> None:
    """Fold the last cell of a tutorial, which asserts its claims, under a line that says so."""
    if page.startswith("tutorials/") and "/solutions/" not in page:
        source[0] = folded(source[0])


def folded(text: str) -> str:
    """Return a tutorial whose cell of checks is hidden until its line is opened."""
    prompts = f"  code_prompt_show: {CHECKED}\n  code_prompt_hide: {CHECKED}\n"
    head = f"---\ntags: [hide-input]\nmystnb:\n{prompts}---\n"
    return CHECK.sub(lambda match: match["before"] + head, text)


FENCE = re.compile(
    r"^(?P<fence>:{3,})\{(?P<name>[\w-]+)\} *(?P<argument>[^\n]*)\n(?P<body>.*?)^(?P=fence) *$\n?",
    flags=re.MULTILINE | re.DOTALL,
)
OPTION = re.compile(r"^:[\w-]+:[^\n]*\n", flags=re.MULTILINE)
LABELLED = re.compile(r"^\$\$ *\n(?P<formula>.*?)\n\$\$ *\((?P<label>[^)\s]+)\) *$", flags=re.MULTILINE | re.DOTALL)
REFERENCE = re.compile(r"\{eq\}`([^`]+)`")
TARGET = re.compile(r"^\([\w-]+\)=\n", flags=re.MULTILINE)
# a link to a file; or a formula or code, in which brackets before parentheses are not a link
LINK = re.compile(
    r"\$\$.*?\$\$|\$[^$\n]*\$|`[^`\n]*`|\]\((?!\w+:|#)(?P<file>[^)#\s]+)(?P<anchor>#[^)\s]*)?\)", flags=re.DOTALL
)


def repository() -> str:
    """Return the address of the repository, from pyproject.toml."""
    project = tomllib.loads((tree.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["urls"]["Source"])


def plain(text: str, page: str, numbers: Mapping[str, tuple[str, int]]) -> str:
    """Return the Markdown of one cell.

    Parameters
    ----------
    text
        The source of the cell.
    page
        The tutorial, such as "tutorials/03_a_layer".
    numbers
        Label of an equation -> (page that shows it, its number on the site).
    """

    def number(label: str) -> str:
        """Return the number of an equation, with its page where that is another one."""
        home, own = numbers[label]
        name = posixpath.basename(home)
        spoken = f"tutorial {int(name[:2])}" if name[:2].isdigit() else name.replace("_", " ")
        other = "" if home == page else f" of [{spoken}]({link(f'{home}.md', page)})"
        return f"({own}){other}"

    # links first: in the code that is inserted below, f[i](x) is not a link
    text = LINK.sub(lambda match: _linked(match, page), text)
    text = TARGET.sub("", text)
    text = FENCE.sub(lambda match: _directive(match, page), text)
    text = LABELLED.sub(lambda match: f"$$\n{match['formula']}\n\\tag{{{numbers[match['label']][1]}}}\n$$", text)
    return REFERENCE.sub(lambda match: f"eq. {number(match[1])}", text)


def link(file: str, page: str) -> str:
    """Return a link from a notebook to a file of the checkout: to its notebook where it has one, else to the repository."""
    if file.startswith("tutorials/") and file.endswith(".md"):
        return posixpath.relpath(file.removesuffix(".md") + ".ipynb", posixpath.dirname(page))
    return f"{repository()}/blob/main/{file}"


def _linked(match: re.Match[str], page: str) -> str:
    """Return a link with its new target; a formula or code as it is."""
    if match["file"] is None:
        return match[0]
    file = posixpath.normpath(posixpath.join(posixpath.dirname(page), match["file"]))
    return f"]({link(file, page)}{match['anchor'] or ''})"


def _directive(match: re.Match[str], page: str) -> str:
    """Return what stands for a directive; one that is not known is an error, so that no notebook shows a raw one."""
    name, argument = match["name"], match["argument"].strip()
    body = OPTION.sub("", match["body"]).strip("\n")
    if name == "eqcode":
        lines = tree.tagged_lines()[argument]
        head = f"[{lines.file}, line {lines.first}]({repository()}/blob/main/{lines.file}#L{lines.first}):\n\n"
        names = re.search(r"^:definitions: (.+)$", match["body"], flags=re.MULTILINE)
        if not names:
            return f"{head}```python\n{textwrap.dedent(lines.text)}\n```\n"
        said = tree.summaries(lines, names[1].split())
        listed = "".join(f"- `{one}`: {summary}\n" for one, summary in said.items())
        code = tree.whole_definitions(lines, names[1].split())
        return f"{head}{listed}\n```python\n{code}\n```\n"
    if name == "explorer":
        page_of_it = f"{repository()}/blob/main/docs/explorer/index.html"
        part = PARTS[read_address(argument)[0]]
        quoted = f'{body}\n\n[The explorer]({page_of_it}), part "{part}": a page for any browser, without a connection.'
    elif name in ("admonition", "note", "tip", "important"):
        quoted = f"**{argument or name.capitalize()}**\n\n{body}"
    elif name == "dropdown":
        return f"**{argument}**\n\n{body}\n"
    else:
        message = f"notebooks have no form for the directive {name!r}; add one to tutorial_text.py"
        raise ValueError(f"{page}: {message}")
    return textwrap.indent(quoted, "> ", lambda line: True) + "\n"


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension; called by Sphinx."""
    app.add_directive("explorer", Explorer)
    app.connect("source-read", fold_check)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
