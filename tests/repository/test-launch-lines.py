# SPDX-FileCopyrightText: 2026 The ivsstagesink authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The launch lines of documents and examples parse.

    test-launch-lines.py SOURCE BUILD PARSE-LAUNCH

A launch line is a command gst-launch-1.0 at the beginning of a line (or behind a
pipe), up to the first one that does not end with a backslash. Variables of the shell
are given a word: a line is parsed, not run. Of an element that only some computers
have, and this one has not, the properties cannot be checked: the rest of its line is.
"""

import pathlib
import re
import shlex
import sys

import tap

source = pathlib.Path(sys.argv[1])
parse_launch = sys.argv[3]

BEGIN = re.compile(r"^[\s*$]*(exec\s+|[A-Z_]+=\S+\s+|[\w-]+\s+\|\s+)*gst-launch-1\.0\s+(.*)$")

# They come with hardware or a package of their own; and what stands in for them.
RARE = {"pipewiresrc": "videotestsrc", "alsasrc": "audiotestsrc",
        "vah264enc": "x264enc", "nvh264enc": "x264enc", "v4l2h264enc": "x264enc"}


def find_lines(path):
    """(number, command without gst-launch-1.0) of each launch line of a file."""
    lines = path.read_text().splitlines()
    at = 0
    while at < len(lines):
        found = BEGIN.match(lines[at])
        at += 1
        if not found:
            continue
        number, text = at, found.group(2)
        while text.endswith("\\") and at < len(lines):
            text = text[:-1] + " " + lines[at].lstrip(" *")
            at += 1
        yield number, text


def split(text):
    """The words that gst-launch-1.0 would see, without its own options."""
    text = re.sub(r'"\$@"', "", text)
    text = re.sub(r"\$\{[^}]*\}|\$\w+|\$\([^)]*\)", "word", text)
    words = shlex.split(text, comments=True)
    for end in ("&", "|", ";", "&&", "||"):
        if end in words:
            words = words[:words.index(end)]
    words = [w for w in words if not re.match(r"\d?>|\d?<", w)]
    while words and words[0].startswith("-"):
        words.pop(0)
    return words


def without(words, element):
    """The words with another element in the place of one and its properties."""
    rest = []
    is_its = False
    for word in words:
        is_its = word == element or (is_its and "=" in word)
        if word == element:
            rest.append(RARE[element])
        elif not is_its:
            rest.append(word)
    return rest


def check(text):
    words = split(text)
    assert any("ivsstagesink" in word for word in words), (
        "a launch line without ivsstagesink: " + text)
    for element in sorted(set(RARE).intersection(words)):
        try:
            tap.call(parse_launch, element)
        except AssertionError:
            print("# %s is not there: its properties are not checked" % element)
            words = without(words, element)
    tap.call(parse_launch, *words)


def check_control():
    """A line with a mistake must not parse."""
    for mistake in ("ivsstagesink no-such-property=1", "ivsstagesink ! fakesink",
                    "no-such-element ! ivsstagesink"):
        try:
            tap.call(parse_launch, *mistake.split())
        except AssertionError:
            continue
        raise AssertionError("this parsed: " + mistake)


def check_without():
    line = "v4l2h264enc a=b c=d ! x=y ! ivsstagesink max-retries=1"
    assert without(line.split(), "v4l2h264enc") == (
        "x264enc ! x=y ! ivsstagesink max-retries=1".split())


cases = [("/launch-lines/mistakes-do-not-parse", check_control),
         ("/launch-lines/without-an-element", check_without)]
paths = [source / "README.md", source / "gst/ivs/gstivsstagesink.c"]
for pattern in ("docs/*.md", "examples/**/*.md", "examples/launch/*.sh"):
    paths += sorted(source.glob(pattern))
for path in paths:
    found = list(find_lines(path))
    name = path.relative_to(source)
    if path.suffix == ".sh" or path in paths[:2]:
        cases.append(("/launch-lines/%s/has-one" % name,
                      lambda f=found, n=name: tap.check(f, "no launch line in %s" % n)))
    cases += [("/launch-lines/%s:%d" % (name, number), lambda t=text: check(t))
              for number, text in found]
tap.run(cases)
