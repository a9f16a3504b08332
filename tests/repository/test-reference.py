# SPDX-FileCopyrightText: 2026 The ivsstagesink authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""docs/reference.md says what the element that was built has and posts.

    test-reference.py SOURCE BUILD DESCRIBE-ELEMENT [--write]

The tables between <!-- made: NAME --> and <!-- end --> are made by
describe-element; --write renews them. The rest is written by hand; of it the
names that programs rely on are looked for: of messages, of the fields of their
structures, of the codes of their progress.
"""

import pathlib
import re
import sys

import names
import tap

source, build, describe = (pathlib.Path(p) for p in sys.argv[1:4])
reference = source / "docs" / "reference.md"
MADE = re.compile(r"(<!-- made: (\w+) -->\n\n)((?:[^<\n].*\n)*)(\n<!-- end -->)")
TABLES = ("pads", "properties", "values", "signals")


def make(name):
    return tap.call(describe, name)


def check_table(name):
    tables = {m.group(2): m.group(3) for m in MADE.finditer(reference.read_text())}
    assert name in tables, "docs/reference.md has no table %s" % name
    assert tables[name] == make(name), (
        "docs/reference.md is not what the element has, renew it as its head "
        "says; it is:\n" + make(name))


def check_names(file, pattern):
    text = reference.read_text()
    missing = sorted(n for n in names.find(source, file, pattern)
                     if "`%s`" % n not in text)
    assert not missing, "docs/reference.md does not tell of %s (%s)" % (
        ", ".join(missing), file)


def write():
    reference.write_text(MADE.sub(
        lambda m: m.group(1) + make(m.group(2)) + m.group(4),
        reference.read_text()))


if "--write" in sys.argv:
    write()
    sys.exit(0)
tap.run([("/reference/table/%s" % name, lambda n=name: check_table(n))
         for name in TABLES] +
        [("/reference/names/%s-%d" % (file, number),
          lambda f=file, p=pattern: check_names(f, p))
         for number, (file, pattern) in enumerate(
             place for kind, places in names.PLACES.items() if kind != "error"
             for place in places)])
