"""What keeps the public header and the ABI stable, each check seen to fail: tests/abi and Doxygen."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BUILD = Path(os.environ["HOSTD"]).parent.parent if "HOSTD" in os.environ else ROOT / "build"
HEADER = (ROOT / "capi/include/signalbox.h").read_text()
RELEASED = (ROOT / "capi/signalbox.abi").read_text()


def replaced(text, pattern, replacement):
    """The text with the one match of the pattern replaced."""
    changed, count = re.subn(pattern, replacement, text, flags=re.DOTALL)
    assert count == 1, f"{pattern} matches {count} times"
    return changed


def abi_faults(released, tmp_path):
    """What tests/abi says of the library when this was the ABI of the last release."""
    dump = tmp_path / "released.abi"
    dump.write_text(released)
    run = subprocess.run([ROOT / "tests/abi", "--build-dir", BUILD, "--dump", dump],
                         capture_output=True, text=True)
    assert run.stderr == ""
    return run.stdout if run.returncode else ""


def test_programs_built_with_the_last_release_run_with_this_library(tmp_path):
    assert abi_faults(RELEASED, tmp_path) == ""


# Each: what the last release had, and what tests/abi must say of it.
@pytest.mark.parametrize("pattern,replacement,told", [
    (r"(name='SBX_E_GONE' value=)'-8'", r"\1'-9'", "from value '-9' to '-8'"),
    (r"(elf-symbol name=)'sbx_leave'", r"\1'sbx_left'", "Removed"),
    (r"(layout-offset-in-bits=)'\d+'(>\s*<var-decl name='reason')", r"\1'4096'\2", "offset"),
    (r"(<var-decl name='ack' type-id=)'[^']*'", r"\1'type-id-1'", "ack"),
], ids=["enumerator changed", "function removed", "member moved", "type of a member changed"])
def test_a_change_that_breaks_programs_is_told(pattern, replacement, told, tmp_path):
    assert told in abi_faults(replaced(RELEASED, pattern, replacement), tmp_path)


@pytest.mark.parametrize("pattern", [
    r"\s*<enumerator name='SBX_E_GONE' value='-8'/>",
    r"\s*<elf-symbol name='sbx_leave'[^>]*>|\s*<function-decl name='sbx_leave'.*?</function-decl>",
], ids=["enumerator", "function"])
def test_an_addition_is_allowed(pattern, tmp_path):
    earlier = re.sub(pattern, "", RELEASED, flags=re.DOTALL)
    assert earlier != RELEASED
    assert abi_faults(earlier, tmp_path) == ""


def doxygen_faults(header, tmp_path):
    (tmp_path / "signalbox.h").write_text(header)
    settings = (BUILD / "capi/Doxyfile").read_text()
    settings += f"INPUT = {tmp_path}/signalbox.h\nOUTPUT_DIRECTORY = {tmp_path}\n"
    run = subprocess.run(["doxygen", "-"], input=settings, capture_output=True, text=True)
    assert (run.returncode != 0) == (run.stderr != "")
    return run.stderr


def test_everything_in_the_public_header_is_documented(tmp_path):
    assert doxygen_faults(HEADER, tmp_path) == ""


@pytest.mark.parametrize("pattern,told", [
    (r"/\*\* How many options there are\. \*/", "sbx_option_count"),
    (r"/\*\* Some bytes, [^/]*\*/", "sbx_bytes"),
    (r"/\*\*< of an integer: \"ms\"[^/]*\*/", "unit"),
    (r"/\*\* How grave a line of log is\. \*/", "sbx_log_level"),
], ids=["function", "struct", "member", "enumeration"])
def test_what_is_not_documented_is_told(pattern, told, tmp_path):
    faults = doxygen_faults(replaced(HEADER, pattern, ""), tmp_path)
    assert re.search(rf"\b{told}\b.* is not documented", faults), faults
