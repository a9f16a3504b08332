# SPDX-FileCopyrightText: 2026 The ivsstagesink authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What holds for every file: its head, its text, no traces of a computer, its
line in docs/design.md; and how each test with GStreamer ends.

    test-sources.py SOURCE BUILD
"""

import pathlib
import re
import sys

import tap

source, build = (pathlib.Path(p).resolve() for p in sys.argv[1:3])

OWNER = "SPDX-FileCopyrightText: 2026 The ivsstagesink authors"
LICENCE = "SPDX-License-Identifier: LGPL-2.1-or-later"
HEADS = {
    (".c", ".h", ".js", ".css"):
        r"/\* %s\n \* %s\n \*\n \* \S.*" % (OWNER, LICENCE),
    (".html", ".xml"):
        r"(<[!?].*>\n)?<!-- %s -->\n<!-- %s -->\n" % (OWNER, LICENCE),
    (".sh",):
        r"#!/bin/(ba)?sh\n# %s\n# %s\n#\n# \S.*" % (OWNER, LICENCE),
    (".py",):
        r'(#!.*\n)?# %s\n# %s\n(#\n# \S|"""\S)' % (OWNER, LICENCE),
    (".build",):
        r"# %s\n# %s\n" % (OWNER, LICENCE),
}
PATTERNS = {suffix: re.compile(pattern)
            for suffixes, pattern in HEADS.items() for suffix in suffixes}


def is_made(path):
    """What a build or an interpreter has left."""
    return any(part.startswith(("build", ".git", ".cache", "__pycache__"))
               for part in path.relative_to(source).parts) or (
                   build == path or build in path.parents)


def files(*folders):
    for folder in folders:
        for path in sorted((source / folder).rglob("*")):
            if path.is_file() and not is_made(path):
                yield path


def check_heads(suffix):
    seen = [p for p in files("gst", "tests", "examples") if p.suffix == suffix]
    for path in seen:
        assert PATTERNS[suffix].match(path.read_text()), (
            "%s does not begin with the SPDX lines and what it is"
            % path.relative_to(source))
    assert seen or suffix not in (".c", ".h", ".sh", ".py", ".build"), (
        "no %s file was found: the test looks into the wrong folder" % suffix)


def traces():
    """What a path on the computer of somebody would begin with."""
    # A folder right below the root ("/root", "/src") may well be meant in general.
    folders = {str(p) for top in (source, build) for p in (top, top.parent)
               if len(p.parts) > 2}
    folders = [re.escape(folder) + r"(?![\w-])" for folder in sorted(folders)]
    return re.compile(r"(?<![\w.}$)-])(%s)" % "|".join(
        folders + [r"/(tmp|home)/\w"]))


def check_traces():
    pattern = traces()
    for path in files("."):
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        found = pattern.search(text)
        assert found is None, "%s has the path of a computer: %s" % (
            path.relative_to(source), found and text[found.start():][:40])


def check_text():
    """UTF-8, lines that end, no blanks at their end."""
    for path in files("gst", "tests", "examples", "docs"):
        if path.suffix not in PATTERNS and path.suffix != ".md":
            continue
        text = path.read_text(encoding="utf-8")
        name = path.relative_to(source)
        assert text.endswith("\n"), "%s does not end with a newline" % name
        for number, line in enumerate(text.splitlines(), 1):
            assert line == line.rstrip(), "%s:%d: blanks at the end" % (name, number)


def check_log():
    """A warning in the log alone reaches nobody: it belongs on the bus."""
    pattern = re.compile(r"\bGST_(WARNING|ERROR|ELEMENT_WARNING|ELEMENT_ERROR)(_OBJECT)? \(")
    for path in files("gst/ivs"):
        found = path.suffix == ".c" and pattern.search(path.read_text())
        assert not found, "%s has %s: post it with gstivsmessages.h" % (
            path.relative_to(source), found and found.group())


def expand(name):
    """gstivsgate.[ch] are two files."""
    found = re.fullmatch(r"(.*)\[(\w+)\]", name)
    return [found.group(1) + c for c in found.group(2)] if found else [name]


def check_design():
    text = (source / "docs" / "design.md").read_text()
    told = {name for row in re.findall(r"^\| `([\w./\[\]-]+\.[\w\[\]]+)` \|", text,
                                       re.MULTILINE)
            for name in expand(row)}
    root = source / "gst" / "ivs"
    there = {str(p.relative_to(root)) for p in root.rglob("*.[ch]")}
    assert told == there, "only in docs/design.md: %s; only in gst/ivs: %s" % (
        sorted(told - there), sorted(there - told))


def check_ends():
    """The leaks tracer tells what is left in end_gstreamer () alone."""
    seen = 0
    for path in files("tests/element", "tests/stage", "tests/interop"):
        text = path.read_text() if path.suffix == ".c" else ""
        if not re.search(r"^  gst_init \(", text, re.MULTILINE):
            continue
        seen += 1
        assert re.search(r"^  end_gstreamer \(\);\n  return \w+;\n}\n\Z", text,
                         re.MULTILINE), (
            "%s does not end with end_gstreamer (): nobody would see its leaks"
            % path.relative_to(source))
    assert seen > 20, "%d tests were found: the test looks into the wrong folder" % seen


tap.run(
    [("/sources/head/%s" % suffix[1:], lambda s=suffix: check_heads(s))
     for suffix in PATTERNS] +
    [("/sources/no-paths-of-a-computer", check_traces),
     ("/sources/text", check_text),
     ("/sources/no-warning-in-the-log-alone", check_log),
     ("/sources/design-names-each-file", check_design),
     ("/sources/tests-end-gstreamer", check_ends)])
