# SPDX-FileCopyrightText: 2026 The ivsstagesink authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The names that programs rely on, as the sources of the element spell them:
of errors, of messages and the fields of their structures, of codes of progress.
"""

import re

# File in gst/ivs, and what is around a name in it.
FIELD = r'"([a-z][a-z0-9-]*)",\s*(?:G|GST)_TYPE_\w+'
STRUCTURE = r'structure_new \("(ivs-[a-z-]+)"'

# Kind of name: where it is found.
PLACES = {
    "message": [
        ("gstivsmessages.c", STRUCTURE),
        ("gstivsmonitor.c", STRUCTURE),
        ("gstivsstats.c", STRUCTURE),
        ("gstivswatch.c", r'"(ivs-stage-[a-z-]+)"'),
    ],
    "event": [
        ("gstivsadaptation.c", STRUCTURE),
    ],
    "field": [
        ("gstivsmessages.c", FIELD),
        ("gstivsmessages.c", r'set_string \(\w+, "([a-z-]+)"'),
        ("gstivsmonitor.c", FIELD),
        ("gstivsstats.c", FIELD),
        ("gstivsadaptation.c", FIELD),
        ("gstivsstats.c", r'[?:] "(audio|video)"'),
    ],
    "error": [
        ("stage/ivs-error-table.c", r'"([a-z-]+)", IVS_CLASS_'),
    ],
    "notice": [
        ("gstivsstory.c", r'post_notice \([^";]*"([a-z-]+)"'),
        ("gstivsstagesink.c", r'post_notice \([^";]*"([a-z-]+)"'),
        ("gstivssession.c", r'noticed \([^";]*"([a-z-]+)"'),
        ("gstivsadaptation.c", r'noticed \([^";]*"([a-z-]+)"'),
    ],
    "finding": [
        ("stage/ivs-diagnosis.c",
         r'\{ "([a-z-]+)", (?:CUT|UNSUPPORTED|VIEWERS)'),
    ],
    "progress": [
        ("gstivsstory.c", r'POST_PROGRESS \(self, \w+, "(\w+)"'),
    ],
}


def find(source, file, pattern):
    """The names in one file, in its order, each once."""
    text = (source / "gst" / "ivs" / file).read_text()
    found = list(dict.fromkeys(re.findall(pattern, text)))
    assert found, "%s has none: the pattern %s is out of date" % (file, pattern)
    return found


def find_kind(source, kind):
    return list(dict.fromkeys(name for file, pattern in PLACES[kind]
                              for name in find(source, file, pattern)))
