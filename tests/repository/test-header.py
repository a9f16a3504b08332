# SPDX-FileCopyrightText: 2026 The ivsstagesink authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The installed header has every name that the element uses, and no other.

    test-header.py SOURCE BUILD DESCRIBE-ELEMENT [--write]

What is in it between "made: NAME" and "end" comes from the sources (names.py) and
from the element that was built; --write renews it.
"""

import pathlib
import re
import sys

import names
import tap

source, build, describe = (pathlib.Path(p) for p in sys.argv[1:4])
header = source / "gst" / "include" / "gst" / "ivs" / "ivsstagesink.h"
MADE = re.compile(r"(/\* made: ([a-z-]+) \*/\n)((?:#define .*\n)*)(/\* end \*/)")
# GStreamer's, not ours.
FOREIGN = ("ice-transport-policy",)


def find_enums():
    """Property: the nicks of its values."""
    enums = {}
    for name, nick in re.findall(r"^\| `([a-z-]+)` \| `([a-z-]+)` \(",
                                 tap.call(describe, "values"), re.MULTILINE):
        if name not in FOREIGN:
            enums.setdefault(name, []).append(nick)
    return enums


def make_line(section, name):
    words = (re.sub("^stage-", "", section), re.sub("^ivs-(stage-)?", "", name))
    return '#define IVS_STAGE_%s_%s "%s"\n' % (
        *(word.replace("-", "_").upper() for word in words), name)


def make_all():
    """Section of the header: its lines."""
    sections = {kind: names.find_kind(source, kind) for kind in names.PLACES}
    sections.update(find_enums())
    return {section: "".join(make_line(section, name) for name in found)
            for section, found in sections.items()}


def check_section(section, wanted):
    sections = {m.group(2): m.group(3) for m in MADE.finditer(header.read_text())}
    assert section in sections, "%s has no section %s" % (header.name, section)
    assert sections[section] == wanted, (
        "%s is not what the element uses, renew it as its head says; it is:\n%s"
        % (header.name, wanted))


def check_nothing_else():
    text = header.read_text()
    told = {m.group(2) for m in MADE.finditer(text)}
    assert told == set(made), "sections that nothing makes: %s" % (told - set(made))
    assert not re.findall("#define", MADE.sub("", text)), (
        "%s defines something outside of its sections" % header.name)


def write():
    header.write_text(MADE.sub(
        lambda m: m.group(1) + made[m.group(2)] + m.group(4), header.read_text()))


made = make_all()
if "--write" in sys.argv:
    write()
    sys.exit(0)
tap.run([("/header/%s" % section, lambda s=section: check_section(s, made[s]))
         for section in made] + [("/header/nothing-else", check_nothing_else)])
