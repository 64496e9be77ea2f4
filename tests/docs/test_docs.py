"""Every command of the documents does what they say."""

import os
import re
import subprocess
import warnings
from pathlib import Path

import pytest

from pages import COMMANDS, PAGES, ROOT, blocks_of, commands_of
from play import SKIPPED

HERE = Path(__file__).resolve().parent
DEADLINE = 300  # seconds


@pytest.mark.skipif(os.geteuid() != 0, reason="tests/docs/sandbox needs root")
@pytest.mark.parametrize("page", [page for page in PAGES
                                  if any(block.what in ("run", "serves", "needs") for block in blocks_of(page))])
def test_what_it_says_can_be_done(page):
    done = subprocess.run([HERE / "sandbox", "/usr/bin/python3", HERE / "play.py", page], cwd=ROOT,
                          capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for line in done.stdout.splitlines():
        if SKIPPED in line:
            warnings.warn(line)


@pytest.mark.parametrize("page", PAGES)
def test_what_another_script_tries_stands_there(page):
    for block in blocks_of(page):
        if block.what == "tried by":
            script = (ROOT / block.name).read_text()
            for command in commands_of(block.text):
                assert command in script, f"{page}:{block.line}: {command}"


def test_links_lead_somewhere():
    for page in ROOT.glob("**/*.md"):
        if any(part.startswith(("build", "node_modules")) for part in page.relative_to(ROOT).parts):
            continue
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            file = (page.parent / path) if path else page
            assert file.exists(), f"{page}: {target}"
            if anchor:
                headings = re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE)
                anchors = [re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings]
                assert anchor in anchors, f"{page}: {target}"


def test_no_commands_are_hidden_in_blocks_of_another_kind():
    for page in PAGES:
        for block in blocks_of(page):
            if block.language != COMMANDS:
                assert not re.search(r"^(\$|#?>) ", block.text, re.MULTILINE), f"{page}:{block.line}"
