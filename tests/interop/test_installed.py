# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""What others build on gst-memif: their programs are built against an installed tree, and run.

The elements and programs are those that the documentation shows.
"""

import os
import re
import shlex
import subprocess
from pathlib import Path

import doc_commands
import pipeline
from base import InteropTest
from pipeline import Pipeline

ROOT = doc_commands.ROOT
SECONDS = 600     # on a machine that is busy
WARNINGS = ("-Wall", "-Wextra", "-Werror")


class Installed:
    """What `meson install` puts where, below a directory of our own."""

    def __init__(self, build, directory):
        self.root = f"{directory}/target"
        subprocess.run(["meson", "install", "--no-rebuild", "-C", build],
                       env={**os.environ, "DESTDIR": self.root}, check=True, capture_output=True,
                       timeout=SECONDS)
        configs = list(Path(self.root).rglob("gstreamer-*-1.0.pc"))
        for config in configs:
            # As if it had been configured for the place where it is now.
            text = config.read_text()
            config.write_text(re.sub(r"^prefix=(.*)$", rf"prefix={self.root}\1", text, flags=re.M))
        (self.config,) = {str(config.parent) for config in configs}
        self.libraries = str(Path(self.config).parent)
        self.plugins = f"{self.libraries}/gstreamer-1.0"
        self.typelibs = f"{self.libraries}/girepository-1.0"

    def environment(self, **more):
        """Nothing of it comes from the build directory."""
        env = {name: value for name, value in os.environ.items() if not name.startswith("GST_")}
        paths = dict(PKG_CONFIG_PATH=self.config, LD_LIBRARY_PATH=self.libraries,
                     GI_TYPELIB_PATH=self.typelibs, GST_PLUGIN_PATH=self.plugins,
                     GST_REGISTRY=f"{self.root}/registry.bin", G_DEBUG="fatal-criticals")
        return {**env, **paths, **more}

    def flags(self, *packages):
        shown = subprocess.run(["pkg-config", "--cflags", "--libs", *packages], check=True,
                               env=self.environment(), capture_output=True, text=True)
        return shlex.split(shown.stdout)


class InstalledTest(InteropTest):
    """One installation for all tests."""

    @classmethod
    def why_not(cls):
        if pipeline.stand_in() or not os.environ.get("MEMIF_BUILD"):
            return "needs the build directory (--build DIR)"
        if os.environ.get("MEMIF_ASAN"):
            return "programs of others are built without a sanitizer"
        return super().why_not()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.installed = Installed(os.environ["MEMIF_BUILD"], cls.directory)

    def run_program(self, *command, **env):
        done = subprocess.run(command, env=self.installed.environment(**env), capture_output=True,
                              text=True, timeout=SECONDS, cwd=self.directory)
        self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def write_files(self, page, name):
        """A directory with the files that a page shows."""
        directory = Path(self.directory) / name
        directory.mkdir()
        for file, text in doc_commands.files(ROOT / page).items():
            (directory / file).write_text(text)
        return directory

    def test_elements(self):
        """The elements of docs/packet-elements.md are built with its meson.build, and tested."""
        source = self.write_files("docs/packet-elements.md", "elements")
        self.assertEqual({path.name for path in source.iterdir()},
                         {"decttl.cpp", "ipsplit.cpp", "vlantag.cpp", "test_elements.cpp",
                          "meson.build"})
        self.run_program("meson", "setup", "-Dwarning_level=2", "-Dwerror=true", f"{source}/build",
                         source)
        self.run_program("meson", "compile", "-C", f"{source}/build")
        out = self.run_program("meson", "test", "-C", f"{source}/build", "--verbose")
        self.assertRegex(out, r"Ok: +1\b")
        plugins = self.run_program("pkg-config", "--variable=pluginsdir", "gstreamer-packet-1.0")
        self.run_program("meson", "install", "-C", f"{source}/build")
        self.assertEqual(plugins.strip(), self.installed.plugins)
        self.assertTrue(Path(plugins.strip(), "libgstvlantag.so").exists())
        self.assertIn("VLAN tagger", self.run_program("gst-inspect-1.0", "vlantag"))

    def test_element_without_meson(self):
        """The line with g++ makes a plugin that loads, and refuses what it cannot read."""
        source = self.write_files("docs/packet-elements.md", "by-hand")
        (line,) = [line for line in (ROOT / "docs/packet-elements.md").read_text().splitlines()
                   if line.startswith("    g++ ")]
        self.run_program("sh", "-c", f"cd {source} && {line}")
        plugins = f"{source}:{self.installed.plugins}"
        shown = self.run_program("gst-inspect-1.0", "decttl", GST_PLUGIN_PATH=plugins)
        self.assertIn("TTL decrementer", shown)
        self.assertRegex(shown, r"link-type: ethernet\b")

    def test_c(self):
        """The program of docs/batches.md, in C."""
        source = self.write_files("docs/batches.md", "c")
        packages = ("gstreamer-packet-1.0", "gstreamer-app-1.0")
        self.run_program("gcc", "-std=c11", "-pedantic", *WARNINGS, f"{source}/count_packets.c",
                         "-o", f"{source}/count_packets", *self.installed.flags(*packages))
        self.assertEqual(self.run_program(f"{source}/count_packets"),
                         "1000 packets of 100000 bytes together, in batches\n")

    def test_python(self):
        """The program of docs/batches.md, in Python."""
        if not Path(self.installed.typelibs, "GstPacket-1.0.typelib").exists():
            self.skipTest("built without introspection (gobject-introspection, "
                          "libgirepository1.0-dev)")
        source = self.write_files("docs/batches.md", "python")
        self.assertEqual(self.run_program("/usr/bin/python3", f"{source}/swap_addresses.py"),
                         "1000 frames go back to where they came from\n")

    def test_engine(self):
        """memifping, a program on both libraries without GStreamer's pipelines."""
        program, examples = f"{self.directory}/memifping", ROOT / "examples"
        packages = ("gstreamer-memif-1.0", "gstreamer-packet-1.0")
        self.run_program("g++", "-std=c++20", *WARNINGS, f"{examples}/memifping.cpp",
                         f"{examples}/echo_packets.cpp", "-o", program, f"-I{examples}",
                         *self.installed.flags(*packages))
        self.assertIn("--socket-path", self.run_program(program, "--help"))

    def test_engine_without_gstreamer(self):
        """The program of docs/engine.md compiles with what its pkg-config file asks for, links no
        GStreamer, and sends back what it gets."""
        program, source = f"{self.directory}/engine", f"{self.directory}/engine.cpp"
        (code,) = doc_commands.code_blocks(ROOT / "docs/engine.md", "cpp")
        Path(source).write_text(code)
        self.run_program("g++", "-std=c++20", *WARNINGS, source, "-o", program,
                         *self.installed.flags("gstreamer-memif-1.0"))
        linked = self.run_program("ldd", program)
        self.assertIn(f"{self.installed.libraries}/libgstmemif-1.0", linked)
        self.assertNotIn("libgstreamer", linked)
        path = self.socket("engine")
        running = subprocess.Popen([program, path, "master"], env=self.installed.environment())
        try:
            self.wait_socket(path)
            end = f"socket-path={path} role=slave"
            line = Pipeline(f"packetgen count=1000 ! memifsink {end} when-down=block "
                            f"memifsrc {end} ! packetcheck count=1000 timeout=60000", ("-m",))
            try:
                self.assertEqual(line.wait(60), 0, line.output()[-3000:])
                line.assert_silent()
                self.assertIn("packet-check, packets=(guint64)1000", line.output())
            finally:
                line.kill()
                line.log.close()
            self.assertIsNone(running.poll())
        finally:
            running.kill()
            running.wait()

    def test_older_standard(self):
        """Headers for C++20 say so to a compiler of an older standard."""
        for library, header in (("memif", "interface.hpp"), ("packet", "element.hpp"),
                                ("packet", "batch.hpp")):
            with self.subTest(f"{library}/{header}"):
                package = f"gstreamer-{library}-1.0"
                self.assertEqual(
                    self.run_program("pkg-config", "--variable=cxxstd", package), "c++20\n")
                (path,) = Path(self.installed.root).rglob(f"gst/{library}/{header}")
                done = subprocess.run(
                    ["g++", "-std=c++17", "-fsyntax-only", *self.installed.flags(package),
                     "-x", "c++", path], capture_output=True, text=True, timeout=SECONDS)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn("-std=c++20", done.stderr)

    def test_libraries_have_versions(self):
        """The name of the file says which version it is, the soname what is compatible."""
        for library in ("memif", "packet"):
            with self.subTest(library):
                (file,) = [path for path in
                           Path(self.installed.libraries).glob(f"libgst{library}-1.0.so.0.*")
                           if not path.is_symlink()]
                self.assertRegex(file.name, r"\.so\.0\.\d+\.0$")
                link = Path(self.installed.libraries, f"libgst{library}-1.0.so.0")
                self.assertEqual(link.resolve(), file.resolve())

    def test_headers(self):
        """The installed headers compile with nothing else."""
        include = self.include()
        source = Path(self.directory, "headers.cpp")
        source.write_text("".join(f"#include <{header.relative_to(include)}>\n"
                                  for header in sorted(include.rglob("*.h*"))))
        self.assertIn("<gst/packet/packetbatch.h>", source.read_text())
        self.run_program("g++", "-std=c++20", *WARNINGS, "-fsyntax-only", str(source),
                         *self.installed.flags("gstreamer-packet-1.0", "gstreamer-memif-1.0"))

    def test_private_headers_stay_private(self):
        """What is installed includes nothing that is not, and control/ and data/ are not."""
        include = self.include()
        for path in sorted(include.rglob("*.h*")):
            name = path.relative_to(include).as_posix()
            self.assertNotRegex(name, r"gst/memif/(control|data)/|runtime/")
            for header in re.findall(r'#include [<"](gst/(?:common|memif|packet)/[^>"]+)',
                                     path.read_text()):
                with self.subTest(header=name, includes=header):
                    self.assertTrue((include / header).exists())

    def test_programs(self):
        """Both programs are installed, find each other and the plugins, and have manuals that name
        each of their options."""
        (ping,) = Path(self.installed.root).rglob("bin/gst-memif-ping")
        responder = ping.with_name("gst-memif-responder")
        path = self.socket("programs")
        running = subprocess.Popen([responder, "-r", "master", "-s", path],
                                   env=self.installed.environment(), stdout=subprocess.DEVNULL)
        try:
            self.wait_socket(path)
            shown = self.run_program(ping, f"--socket-path={path}", "--interval=0", "192.168.1.1")
            self.assertIn("5 received, 0 wrong", shown)
            self.assertIsNone(running.poll())
        finally:
            running.terminate()
            self.assertEqual(running.wait(SECONDS), 0)
        for program in (ping, responder):
            with self.subTest(program.name):
                plugins = f"{os.environ['MEMIF_BUILD']}/plugins".encode()
                self.assertFalse(plugins in program.read_bytes(), "it knows the build directory")
                (page,) = Path(self.installed.root).rglob(f"man/man1/{program.name}.1*")
                text = page.read_text().replace("\\", "")
                shown = self.run_program(program, "--help")
                self.assertIn(program.name, shown)
                options = set(re.findall(r"(?<!\S)--[a-z][a-z-]*", shown)) - {"--help-all"}
                self.assertGreater(len(options), 3)
                for option in options | set(re.findall(r"^ +([a-z0-9]{1,6})=", shown, re.M)):
                    self.assertIn(option, text)

    def include(self):
        """Where the installed `gst/` is."""
        (first,) = Path(self.installed.root).rglob("gst/packet/packet.hpp")
        return first.parents[2]
