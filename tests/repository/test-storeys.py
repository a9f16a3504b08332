# SPDX-FileCopyrightText: 2026 The ivsstagesink authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""No storey of gst/ivs can include a header of one above it.

    test-storeys.py SOURCE BUILD

For each pair of storeys a file that includes a header of the second is compiled
with the flags of the first, as in compile_commands.json. The ones that may be
included are the control: they must be found.
"""

import json
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

import tap

source, build = map(pathlib.Path, sys.argv[1:3])
root = source / "gst" / "ivs"

# Folder below gst/ivs, and the storeys it stands on.
STOREYS = {
    "stage": ["stage"],
    "whip": ["whip"],
    "rate": ["rate"],
    "sdp": ["sdp", "stage"],
    ".": [".", "sdp", "whip", "rate", "stage"],
}

# Libraries that a lower storey has nothing to do with.
FOREIGN = {
    "stage": ["gst/gst.h", "libsoup/soup.h"],
    "whip": ["gst/gst.h", "json-glib/json-glib.h"],
    "rate": ["gst/gst.h", "libsoup/soup.h", "json-glib/json-glib.h"],
    "sdp": ["libsoup/soup.h"],
    ".": [],
}


def load_commands():
    """The compile command of one source file per storey."""
    commands = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        path = (pathlib.Path(entry["directory"]) / entry["file"]).resolve()
        if root.resolve() in path.parents:
            storey = str(path.parent.relative_to(root.resolve()))
            commands.setdefault(storey, (entry, path))
    return commands


def compile_with(storey, header):
    """Exit status and messages of compiling one #include as that storey would."""
    entry, path = commands[storey]
    arguments = shlex.split(entry["command"])
    # Out with the output, the dependency file and the source itself.
    for option in ("-o", "-MF", "-MQ", "-c"):
        if option in arguments:
            at = arguments.index(option)
            del arguments[at:at + 2]
    arguments = [a for a in arguments if a not in ("-MD", entry["file"])]
    with tempfile.TemporaryDirectory() as folder:
        probe = pathlib.Path(folder) / "probe.c"
        probe.write_text('#include "%s"\n' % header)
        result = subprocess.run(
            arguments + ["-DGLIB_COMPILATION_PROBE", "-fsyntax-only", str(probe)],
            cwd=entry["directory"], stderr=subprocess.PIPE, text=True,
            errors="replace")
    return result.returncode, result.stderr


def headers_of(storey):
    return sorted(p.name for p in (root / storey).glob("*.h"))


def check_pair(storey, other):
    headers = headers_of(other)
    assert headers, "no headers in %s" % other
    if other in STOREYS[storey]:
        status, messages = compile_with(storey, headers[0])
        assert status == 0, "%s cannot include %s:\n%s" % (
            storey, headers[0], messages)
        return
    for header in headers:
        must_not_find(storey, header)
        if other != ".":
            must_not_find(storey, other + "/" + header)


def must_not_find(storey, header):
    status, messages = compile_with(storey, header)
    assert status != 0, "%s can include %s" % (storey, header)
    assert re.search(re.escape(header) + ".*(No such file|not found)", messages), (
        "%s was refused to %s for another reason:\n%s" % (header, storey, messages))


def check_foreign(storey):
    for header in FOREIGN[storey]:
        must_not_find(storey, header)


def check_complete():
    assert set(commands) == set(STOREYS), (
        "storeys: %s, known here: %s" % (sorted(commands), sorted(STOREYS)))


def check_no_way_around():
    """A path with .. goes around the include paths."""
    for path in sorted(root.rglob("*.[ch]")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            assert not re.match(r'\s*#\s*include\s*["<][^">]*\.\.', line), (
                "%s:%d: %s" % (path.relative_to(source), number, line))


commands = load_commands()
cases = [("/storeys/complete", check_complete)]
for storey in STOREYS:
    for other in STOREYS:
        verb = "includes" if other in STOREYS[storey] else "cannot-include"
        name = {".": "element"}
        cases.append(("/storeys/%s-%s-%s" % (name.get(storey, storey), verb,
                                             name.get(other, other)),
                      lambda s=storey, o=other: check_pair(s, o)))
    if FOREIGN[storey]:
        cases.append(("/storeys/%s-has-its-libraries-only" % storey,
                      lambda s=storey: check_foreign(s)))
cases.append(("/storeys/no-way-around", check_no_way_around))
tap.run(cases)
