# SPDX-FileCopyrightText: 2026 The ivsstagesink authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the library exports, where `meson install` puts things, that an application
can link the plugin, dynamically and statically, with the installed header, and that
a project of Meson can have this one inside.

    test-install.py SOURCE BUILD PLUGIN LIBDIR

The last three are small builds in temporary folders, without tests and examples.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

import tap

source, build, plugin = (pathlib.Path(p) for p in sys.argv[1:4])
libdir = sys.argv[4]

PROGRAM = """
#include <gst/gst.h>
#include <gst/ivs/ivsstagesink.h>
GST_PLUGIN_STATIC_DECLARE (ivs);
int
main (void)
{
  GstElement *sink;
  GParamSpec *state;

  gst_init (NULL, NULL);
  GST_PLUGIN_STATIC_REGISTER (ivs);
  sink = gst_element_factory_make ("ivsstagesink", NULL);
  if (sink == NULL)
    return 1;
  state = g_object_class_find_property (G_OBJECT_GET_CLASS (sink), "connection-state");
  return g_enum_get_value_by_nick (G_PARAM_SPEC_ENUM (state)->enum_class,
      IVS_STAGE_CONNECTION_STATE_CONNECTED) == NULL;
}
"""

# A project that has this one in subprojects/gst-ivs-stage.
PARENT = """
project('parent', 'c')
gstivs = subproject('gst-ivs-stage',
  default_options : ['default_library=static', 'tests=disabled',
    'examples=disabled', 'tools=disabled'])
executable('program', 'program.c',
  dependencies : [dependency('gstreamer-1.0'), dependency('gstivs')])
"""


def check_exports():
    names = {line.split()[-1] for line in tap.call(
        "nm", "-D", "--defined-only", plugin).splitlines()}
    assert names == {"gst_plugin_ivs_get_desc", "gst_plugin_ivs_register"}, (
        "%s exports %s" % (plugin.name, sorted(names)))


def check_no_rpath(path):
    dynamic = tap.call("readelf", "-d", path)
    assert "NEEDED" in dynamic, dynamic
    assert not re.search("RPATH|RUNPATH", dynamic), dynamic


def meson(*arguments):
    # The environment of the build (CFLAGS, DESTDIR) is none of this build's.
    environment = {k: v for k, v in os.environ.items()
                   if k in ("PATH", "HOME", "LANG", "CC")}
    return tap.call("meson", *map(str, arguments), env=environment)


def check_folders():
    with tempfile.TemporaryDirectory() as folder:
        meson("install", "-C", build, "--no-rebuild", "--destdir", folder)
        installed = {str(p.relative_to(folder)) for p in
                     pathlib.Path(folder).rglob("*") if p.is_file()}
        prefix = os.path.commonpath(installed)
        names = {str(pathlib.Path(p).relative_to(prefix)) for p in installed}
        plugins = libdir + "/gstreamer-1.0"
        wanted = {plugins + "/libgstivs.so", plugins + "/pkgconfig/gstivs.pc",
                  "include/gstreamer-1.0/gst/ivs/ivsstagesink.h"}
        # The programs are optional.
        programs = {"bin/ivs-local-stage", "bin/ivs-stage-check"}
        assert wanted <= names and names - wanted <= programs, (
            "installed: %s" % sorted(names))
        for name in names:
            if name.endswith(".so") or name.startswith("bin/"):
                check_no_rpath(pathlib.Path(folder) / prefix / name)


def compile_program(folder, flags):
    program = folder / "program.c"
    program.write_text(PROGRAM)
    tap.call("cc", program, "-o", folder / "program", *flags)
    return folder / "program"


def run_program(program, library_path):
    environment = dict(os.environ, LD_LIBRARY_PATH=library_path,
                       GST_REGISTRY=str(program.parent / "registry"),
                       GST_PLUGIN_SYSTEM_PATH_1_0="", GST_PLUGIN_PATH_1_0="")
    tap.call(program, env=environment)


def check_linking():
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        prefix = folder / "prefix"
        plugins = prefix / "lib" / "gstreamer-1.0"
        meson("setup", folder / "build", source, "--prefix", prefix,
              "--libdir=lib", "-Ddefault_library=both", "-Dtests=disabled",
              "-Dexamples=disabled", "-Dbuildtype=plain")
        meson("compile", "-C", folder / "build", "-j2")
        meson("install", "-C", folder / "build", "--no-rebuild")

        environment = dict(os.environ, PKG_CONFIG_PATH=str(plugins / "pkgconfig"))

        def pkg_config(*arguments):
            return tap.call("pkg-config", *arguments, env=environment).split()

        flags = pkg_config("--cflags", "--libs", "gstivs", "gstreamer-1.0")
        program = compile_program(folder, flags)
        run_program(program, str(plugins))
        assert "libgstivs.so" in tap.call("readelf", "-d", program)

        # Not --static, which asks for static libraries of all of GStreamer.
        flags = pkg_config("--cflags", "--libs", "gstivs", *{
            line.split()[0] for line in tap.call(
                "pkg-config", "--print-requires-private", "gstivs",
                env=environment).splitlines()})
        private = re.search("^Libs.private: (.*)$",
                            (plugins / "pkgconfig" / "gstivs.pc").read_text(),
                            re.MULTILINE)
        static = ["-l:libgstivs.a" if f == "-lgstivs" else f for f in flags]
        static += private.group(1).split() if private else []
        program = compile_program(folder, static)
        run_program(program, "")
        assert "libgstivs.so" not in tap.call("readelf", "-d", program)


def check_subproject():
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        (folder / "subprojects").mkdir()
        (folder / "subprojects" / "gst-ivs-stage").symlink_to(source)
        (folder / "meson.build").write_text(PARENT)
        (folder / "program.c").write_text(PROGRAM)
        meson("setup", folder / "build", folder)
        meson("compile", "-C", folder / "build", "-j2")
        program = folder / "build" / "program"
        run_program(program, "")
        assert "libgstivs" not in tap.call("readelf", "-d", program)


tap.run([("/install/exports", check_exports),
         ("/install/folders", check_folders),
         ("/install/linked-by-an-application", check_linking),
         ("/install/subproject", check_subproject)])
