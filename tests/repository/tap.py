# SPDX-FileCopyrightText: 2026 The ivsstagesink authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""TAP for test programs in Python: a case is a name and a function that asserts.

What a failed case says is its exception's text, so an assertion carries a
sentence that names the file and what is wrong with it.
"""

import subprocess
import sys
import traceback


class Skipped(Exception):
    """Raised with the reason."""


def run(cases):
    """Runs a list of (name, function); exits with 1 if any failed."""
    failed = 0
    print("1..%d" % len(cases))
    for number, (name, function) in enumerate(cases, 1):
        try:
            function()
            print("ok %d %s" % (number, name), flush=True)
        except Skipped as reason:
            print("ok %d %s # SKIP %s" % (number, name, reason), flush=True)
        except Exception:  # a case that crashes has failed, the others go on
            failed += 1
            for line in traceback.format_exc().splitlines():
                print("# " + line)
            print("not ok %d %s" % (number, name), flush=True)
    sys.exit(1 if failed else 0)


def call(*command, **options):
    """What a program printed; an AssertionError with all of it if it failed."""
    result = subprocess.run(command, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True,
                            errors="replace", **options)
    assert result.returncode == 0, "%s: exit status %d\n%s" % (
        " ".join(map(str, command)), result.returncode, result.stdout)
    return result.stdout


def check(condition, sentence):
    assert condition, sentence
