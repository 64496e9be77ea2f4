"""The documents whose commands are tried, and what is to be done with each block of code in them.

What a block is for stands in a comment above it, if it is not plain from its language:

    <!-- serves -->          commands that go on until they are ended; once they have said "listening on"
                             the blocks below are tried, up to the next one that serves
    <!-- serves: PORT -->    the same, once this port is listened on
    <!-- needs: PROGRAM -->  commands that are run where this program is installed
    <!-- file: NAME -->      what the reader writes into that file
    <!-- excerpt -->         a part of something, which cannot be tried by itself; no commands
    <!-- tried by: PATH -->  commands that this script tries, since they take long or need a network

Commands (sh) without a comment are run, and a block of json or text right below them is what they
print, where "…" stands for anything.
"""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = ["README.md", "bindings/python/README.md", *sorted(
    path.relative_to(ROOT).as_posix() for path in (ROOT / "packaging/docs").glob("*.md"))]

COMMANDS = "sh"
OUTPUTS = ("json", "text")
FENCE = re.compile(r"^```(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"<!-- (serves|needs|file|excerpt|tried by)(?:: (\S+))? -->\n\Z")


@dataclass
class Block:
    line: int  # where it stands
    language: str
    text: str
    what: str  # "run", "output", or as the comment above it says
    name: str = ""  # what the comment says behind the colon


def blocks_of(page):
    """What is to be done, in order. Raises ValueError where that is not plain."""
    text = (ROOT / page).read_text()
    blocks = []
    end = -1
    for fence in FENCE.finditer(text):
        language, code = fence.groups()
        line = text.count("\n", 0, fence.start()) + 1
        before = text[:fence.start()]
        comment = COMMENT.search(before)
        if comment:
            block = Block(line, language, code, comment[1], comment[2] or "")
        elif language == COMMANDS:
            block = Block(line, language, code, "run")
        elif language in OUTPUTS and blocks and blocks[-1].what == "run" and not text[end:fence.start()].strip():
            block = Block(line, language, code, "output")
        else:
            raise ValueError(f"{page}:{line}: is it a file, an excerpt, or what a command prints?")
        if (block.language == COMMANDS) != (block.what in ("run", "serves", "needs", "tried by")):
            raise ValueError(f"{page}:{line}: {block.what} does not fit the language {language!r}")
        if block.language == COMMANDS and "&&" in code:
            raise ValueError(f"{page}:{line}: the first of a && b fails unseen: write b below a")
        blocks.append(block)
        end = fence.end()
    return blocks


def commands_of(text):
    """The lines that are commands, without comments, and without what leads to root or the directory."""
    lines = (re.sub(r"\s+# .*", "", line).strip() for line in text.splitlines())
    return [re.sub(r"^(sudo )?(\./)?", "", line) for line in lines if line and not line.startswith("#")]
