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

import tap

source, build, describe = (pathlib.Path(p) for p in sys.argv[1:4])
reference = source / "docs" / "reference.md"
MADE = re.compile(r"(<!-- made: (\w+) -->\n\n)((?:[^<\n].*\n)*)(\n<!-- end -->)")
TABLES = ("pads", "properties", "values", "signals")

# File, and what is between its names: a field of a structure, a message.
FIELD = r'"([a-z][a-z0-9-]*)",\s*(?:G|GST)_TYPE_\w+'
NAMES = [
    ("gstivsstats.c", FIELD),
    ("gstivsmonitor.c", FIELD),
    ("gstivsmessages.c", FIELD),
    ("gstivsmessages.c", r'set_string \(\w+, "([a-z-]+)"'),
    ("gstivsmessages.c", r'structure_new \("(ivs-[a-z-]+)"'),
    ("gstivsmonitor.c", r'structure_new \("(ivs-[a-z-]+)"'),
    ("gstivsstats.c", r'structure_new \("(ivs-[a-z-]+)"'),
    ("gstivspublisher.c", r'"(ivs-stage-[a-z-]+)"'),
    ("gstivspublisher.c", r'POST_PROGRESS \(self, \w+, "(\w+)"'),
    ("gstivspublisher.c", r'post_notice \([^";]*"([a-z-]+)"'),
    ("gstivsstagesink.c", r'post_notice \([^";]*"([a-z-]+)"'),
    ("gstivssession.c", r'noticed \([^";]*"([a-z-]+)"'),
    ("stage/ivs-diagnosis.c",
     r'\{ "([a-z-]+)", (?:CUT|UNSUPPORTED|VIEWERS)'),
]


def make(name):
    return tap.call(describe, name)


def check_table(name):
    tables = {m.group(2): m.group(3) for m in MADE.finditer(reference.read_text())}
    assert name in tables, "docs/reference.md has no table %s" % name
    assert tables[name] == make(name), (
        "docs/reference.md is not what the element has, renew it as its head "
        "says; it is:\n" + make(name))


def check_names(file, pattern):
    found = set(re.findall(pattern, (source / "gst/ivs" / file).read_text()))
    assert found, "%s has none: the pattern %s is out of date" % (file, pattern)
    text = reference.read_text()
    missing = sorted(n for n in found if "`%s`" % n not in text)
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
         for number, (file, pattern) in enumerate(NAMES)])
