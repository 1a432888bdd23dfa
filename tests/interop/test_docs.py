# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""The documentation tells the truth: its commands run, its code compiles, its reference is current."""

import contextlib
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import doc_commands
import pipeline
from base import InteropTest
from pipeline import Pipeline

ROOT = doc_commands.ROOT
SECONDS = 1200     # a whole build, on a machine that is busy


def build_dir():
    return Path(os.environ["MEMIF_BUILD"])


# As systemd starts a program with a socket: its descriptor 3, and two variables.
ACTIVATE = """
import os, socket, sys
listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
listener.bind(sys.argv[1])
listener.listen()
os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execvp(sys.argv[2], sys.argv[2:])
"""


PARSE = """
import sys, gi
gi.require_version("Gst", "1.0")
from gi.repository import Gst
Gst.init(None)
Gst.parse_launch(sys.argv[1])
"""


class Activated(Pipeline):
    """A command of a unit that has a socket unit beside it."""

    def __init__(self, command, path):
        self.path = path
        super().__init__(command.removeprefix("gst-launch-1.0"))

    def program(self):
        return ["/usr/bin/python3", "-c", ACTIVATE, self.path, "gst-launch-1.0"]


class DocsTest(InteropTest):
    """Commands that need VPP are the only ones that are not run."""

    @classmethod
    def why_not(cls):
        if pipeline.stand_in() or not os.environ.get("MEMIF_BUILD"):
            return "needs the build directory (--build DIR)"
        return super().why_not()

    def here(self, command):
        """The command with sockets in the directory of the test, without a window, and patient."""
        command = re.sub(r"auto(video|audio)sink", "fakesink", command)
        command = re.sub(r"! packetcheck\b", "! packetcheck timeout=60000", command)
        return re.sub(r"/run/vpp/|/tmp/", f"{self.directory}/", command)

    def run_program(self, command, **env):
        done = subprocess.run(command, cwd=ROOT, env={**pipeline.environment(), **env},
                              capture_output=True, text=True, timeout=SECONDS)
        self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def test_launch_lines(self):
        seen = 0
        pairs = self.first_link() + self.section("CONTRIBUTING.md", "Measure performance")
        for page in doc_commands.PAGES:
            if page == doc_commands.MEDIA:      # test_media runs its commands, in pairs
                continue
            for command in doc_commands.commands(page):
                if not command.startswith("gst-launch-1.0") or command in pairs:    # run elsewhere
                    continue
                if re.search("pcapsrc|pcapsink|bpffilter", command) and (
                        "pcapsrc" in command or not doc_commands.exists("pcapsink")):
                    continue    # test_capture has recordings for those
                seen += 1
                with self.subTest(page=page.name, command=command[:60]):
                    if "packetcheck" in command:    # ends by itself, with its verdict
                        self.run_program(shlex.split(self.here(command)))
                        continue
                    with Pipeline(self.here(command).removeprefix("gst-launch-1.0")) as pipe:
                        pipe.wait_started()
        self.assertGreaterEqual(seen, 8)

    def section(self, page, title):
        text = (ROOT / page).read_text().split(f"## {title}", 1)[1].split("\n## ", 1)[0]
        joined = text.replace("\\\n", " ")
        return [" ".join(line.split()) for line in joined.splitlines() if line.startswith("    ")]

    def first_link(self):
        return self.section("docs/guide.md", "A first link")

    def test_first_link(self):
        """What the guide begins with, and what it says that both print."""
        answers, asks = map(self.here, self.first_link())
        with Pipeline(answers.removeprefix("gst-launch-1.0"), arguments=()) as pipe:
            pipeline.wait_for(lambda: "Listening at" in pipe.output(), 30, "a listener")
            # The link is told by another thread than that of the packets, which may be at their
            # end before: at times, that is, and not each time.
            said = [self.run_program(shlex.split(asks))]
            while "Link up" not in said[-1] and len(said) < 10:
                said.append(self.run_program(shlex.split(asks)))
            self.assertIn("Link up", said[-1])
            pipeline.wait_for(lambda: "Link down" in pipe.output(), 30, "its end")
            self.assertIn("Link up", pipe.output())

    def test_testpmd_lines(self):
        """Both pairs of commands of the DPDK section make a link."""
        if not shutil.which("dpdk-testpmd"):
            self.skipTest("dpdk-testpmd is not installed")
        lines = [self.here(line) for line in self.section("docs/peers.md", "DPDK testpmd")]
        for number, pair in enumerate((lines[:2], lines[2:4])):
            with self.subTest(pair[0].split()[0]), contextlib.ExitStack() as stack:
                launch = next(line for line in pair if line.startswith("gst-launch"))
                testpmd = next(line for line in pair if line.startswith("dpdk-testpmd"))
                if number == 1:
                    pipe = stack.enter_context(self.watched(launch))
                    self.wait_socket(re.search(r"socket-path=(\S+)", launch).group(1))
                words = shlex.split(testpmd)
                words[1:1] = [f"--file-prefix=docs{os.getpid()}{number}"]
                process = subprocess.Popen(words, stdin=subprocess.PIPE,
                                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                stack.callback(process.wait)
                stack.callback(process.kill)
                if number == 0:
                    pipe = stack.enter_context(self.watched(launch))
                pipeline.wait_for(lambda: "link-up=(boolean)true" in pipe.output(), 30, "the link")

    def watched(self, launch):
        return Pipeline(launch.removeprefix("gst-launch-1.0"), arguments=("-m",))

    def test_socket_of_systemd(self):
        """The unit's command takes over the socket at its path, and leaves the file there."""
        socket_unit, service = doc_commands.code_blocks(ROOT / "docs/peers.md", "ini")
        path = f"{self.directory}/passed.sock"
        listed = re.search(r"ListenSequentialPacket=(\S+)", socket_unit).group(1)
        command = re.search(r"ExecStart=(.*)", service).group(1)
        self.assertEqual(command.count(listed), 2)
        with Activated(command.replace(listed, path), path):
            ping = [f"{build_dir()}/examples/memifping", f"--socket-path={path}", "--interval=0",
                    "192.168.1.1"]
            self.wait_socket(path)
            self.assertIn("5 received, 0 wrong", self.run_program(ping))
        self.assertTrue(Path(path).is_socket(), "the file of systemd is gone")

    def test_ping_of_another_pipeline(self):
        launch, ping = self.section("docs/peers.md", "Another pipeline")[:2]
        with Pipeline(launch.removeprefix("gst-launch-1.0")):
            ping = ping.replace("build/", f"{build_dir()}/", 1)
            self.assertIn("5 received, 0 wrong", self.run_program(shlex.split(ping)))

    def test_quickstart(self):
        """As a stranger would, in a copy of the tree; the options of --help too."""
        copy = f"{self.directory}/tree"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns("build*", ".git"))
        script = f"{copy}/examples/quickstart.sh"
        for options in ((), ("--role=slave", "--size=9000"), ("--address=fd00::7",),
                        ("--rx-mode=polling", "--count=1000", "--interval=0")):
            with self.subTest(options=" ".join(options)):
                # A whole build: tests that run beside this one come first.
                out = self.run_program(["nice", script, "--no-install", *options])
                self.assertRegex(out, r"\d+ received, 0 wrong, 0% packet loss")
                self.assertIn("socket-path=/run/vpp/memif.sock", out)
        with self.subTest("--help"):
            self.assertIn("--rx-mode", self.run_program([script, "--help"]))
        with self.subTest("wrong option"):
            wrong = subprocess.run([script, "--role=boss"], capture_output=True, text=True)
            self.assertEqual(wrong.returncode, 2)
            self.assertIn("--role=boss", wrong.stderr)

    def compile(self, source, output, *flags):
        self.run_program(["g++", "-std=c++20", "-Wall", "-Wconversion", "-Wno-sign-conversion",
                          "-Werror", *source, "-o", output, *flags])

    def test_element_of_a_contributor(self):
        """The element and the test of CONTRIBUTING.md: formatted, compiled and passed."""
        directory = f"{self.directory}/contributor"
        os.makedirs(directory)
        shutil.copy(ROOT / ".clang-format", directory)
        files = [f"{directory}/tcpflags.hpp", f"{directory}/tcpflags.cpp"]
        blocks = doc_commands.code_blocks(ROOT / "CONTRIBUTING.md", "cpp")
        self.assertEqual(len(blocks), len(files))
        for path, block in zip(files, blocks):
            Path(path).write_text(block)
        (page,) = doc_commands.code_blocks(ROOT / "CONTRIBUTING.md", "markdown")
        os.makedirs(f"{directory}/tests")
        Path(directory, "tcpflags.md").write_text(page)
        Path(directory, "tests/docs_path.h").write_text(f'#define DOCS_ELEMENTS "{directory}"\n')
        if shutil.which("clang-format"):
            self.run_program(["clang-format", "--dry-run", "--Werror", *files])
        flags = self.run_program(["pkg-config", "--cflags", "--libs", "gstreamer-check-1.0",
                                  "gstreamer-base-1.0"]).split()
        program = f"{directory}/tcpflags"
        self.compile([files[1]], program, f"-I{directory}", f"-I{ROOT}", f"-I{ROOT}/tests/check/packet",
                     f"-L{build_dir()}/gst/packet", "-lgstpacket-1.0", *flags)
        self.assertIn("100%: Checks: 3", self.run_program([program]))

    def test_commands_of_contributing(self):
        """Those that do not build, measure or start these tests again."""
        seen = 0
        for line in doc_commands.indented(ROOT / "CONTRIBUTING.md"):
            words = shlex.split(line)
            env = dict(word.split("=", 1) for word in words if re.match(r"[A-Z_]+=", word))
            words = words[len(env):]
            if words[:2] in (["meson", "devenv"], ["meson", "test"]):
                words[words.index("-C") + 1] = str(build_dir())
            elif words != ["./tests/run.sh", "--stage=style"]:
                continue
            seen += 1
            with self.subTest(command=line):
                self.run_program([self.here(word) for word in words], **env)
        self.assertGreaterEqual(seen, 4)

    def test_counting(self):
        """The recipes of CONTRIBUTING.md that count instructions."""
        if not shutil.which("valgrind"):
            self.skipTest("valgrind is not installed")
        recipes = [self.here(line) for line in self.section("CONTRIBUTING.md", "Measure performance")
                   if "gst-launch-1.0" in line]
        element, responder, sender = map(shlex.split, recipes)
        self.run_program(element)
        counted = subprocess.Popen(responder, env=pipeline.environment(), stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True,
                                   preexec_fn=pipeline.die_with_parent)
        try:
            self.run_program(sender)
            said, _ = counted.communicate(timeout=SECONDS)
            self.assertEqual(counted.returncode, 0, said)
        finally:
            counted.kill()
            counted.wait()
            counted.stdout.close()
        for name in ("element.out", "echo.out"):
            self.assertIn("icmpresponder", Path(self.directory, name).read_text().lower())

    def test_deploy(self):
        """Units and YAML of docs/deploy.md are what they should be; their pipelines can be made."""
        page = ROOT / "docs/deploy.md"
        (unit,) = doc_commands.code_blocks(page, "ini")
        path = Path(self.directory, "gst-memif-responder.service")
        path.write_text(unit)
        lines = [re.search(r"^ExecStart=/usr/bin/gst-launch-1.0 (.*)$", unit, re.M)[1]]
        if shutil.which("systemd-analyze"):
            with self.subTest("unit"):
                done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(path)],
                                      capture_output=True, text=True, timeout=SECONDS)
                said = [line for line in done.stderr.splitlines() if path.name in line]
                self.assertEqual(said, [])
        try:
            import yaml
        except ImportError:
            self.skipTest("python3-yaml is not installed")
        compose, pod = map(yaml.safe_load, doc_commands.code_blocks(page, "yaml"))
        services = compose["services"]
        for name, service in services.items():
            with self.subTest(service=name):
                for volume in service["volumes"]:
                    self.assertIn(volume.split(":")[0], compose["volumes"])
                for config in service.get("configs", []):
                    self.assertIn(config["source"], compose["configs"])
        lines.append(" ".join(services["responder"]["command"]))
        (container,) = pod["spec"]["containers"]
        self.assertEqual({mount["name"] for mount in container["volumeMounts"]},
                         {volume["name"] for volume in pod["spec"]["volumes"]})
        lines.append(" ".join(container["args"]))
        self.assertEqual(len(set(lines)), 1, "it is one pipeline, three times")
        with Pipeline(self.here(lines[0])) as pipe:
            pipe.wait_started()

    def test_coming_from(self):
        """Pipelines in its tables can be made, and members of our classes are in the headers."""
        text = (ROOT / "docs/coming-from.md").read_text()
        spans = re.findall(r"`([^`]+)`", text)
        members = {span for span in spans if re.match(r"[A-Z]\w+::\w+", span)}
        headers = {path.stem: path.read_text() for path in (ROOT / "gst/memif").glob("*.hpp")}
        for member in sorted(members):
            owner, name = re.match(r"(\w+)::(\w+)", member).groups()
            with self.subTest(member=member):
                self.assertRegex(headers[owner.lower()], rf"\b{name}\b")
        self.assertGreaterEqual(len(members), 15)
        fragments = [re.sub("FILE|EXPRESSION", "tcp", span) for span in spans
                     if re.match(r"\w+ .*[!=]", span) and doc_commands.exists(span.split()[0])]
        for fragment in fragments:
            with self.subTest(fragment=fragment):
                made = subprocess.run(["/usr/bin/python3", "-c", PARSE, fragment], text=True,
                                      capture_output=True, env=pipeline.environment())
                self.assertEqual(made.returncode, 0, made.stderr)
        self.assertGreaterEqual(len(fragments), 2)

    def test_devenv(self):
        shown = self.run_program(["meson", "devenv", "-C", str(build_dir()), "gst-inspect-1.0",
                                  "memifsrc"])
        self.assertIn("memif packet source", shown)

    def test_elements_pages(self):
        """Each element has a page, with its SECTION comment and what gst-inspect-1.0 says."""
        index = (ROOT / "docs/elements.md").read_text()
        for element in filter(doc_commands.exists, doc_commands.ELEMENTS):
            with self.subTest(element):
                self.assertIn(f"(elements/{element}.md)", index)
                self.assertEqual(doc_commands.element_page(element).read_text(),
                                 doc_commands.whole_page(element),
                                 "the page is not what its source and gst-inspect-1.0 say; "
                                 "tests/interop/doc_commands.py --build DIR writes it anew")

    def test_contact(self):
        """Whoever looks for the maintainers finds the same address everywhere."""
        build = (ROOT / "meson.build").read_text()
        maintainers = re.search(r"^maintainers = '(.+ <.+@.+>)'$", build, re.M).group(1)
        lines = {"debian/control": f"Maintainer: {maintainers}",
                 "debian/copyright": f"Upstream-Contact: {maintainers}",
                 "debian/changelog": f" -- {maintainers}  ",
                 "SECURITY.md": re.search("<(.+)>", maintainers).group(1)}
        for file, line in lines.items():
            with self.subTest(file):
                self.assertIn(line, (ROOT / file).read_text())

    def test_api_reference(self):
        """doxygen finds nothing wrong in the headers that are installed."""
        if not shutil.which("doxygen"):
            self.skipTest("doxygen is not installed")
        text = (ROOT / "docs/Doxyfile.in").read_text()
        for name, value in (("version", "test"), ("root", ROOT), ("output", self.directory)):
            text = text.replace(f"@{name}@", str(value))
        path = Path(self.directory, "Doxyfile")
        path.write_text(text)
        self.run_program(["doxygen", str(path)])
        self.assertTrue(Path(self.directory, "html", "index.html").exists())

    def test_paths(self):
        """Files and directories that the documentation names exist, but for a contributor's."""
        names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
        if names.returncode:
            self.skipTest("not in a git repository")
        files = names.stdout.split()
        for page in doc_commands.PAGES:
            text = re.sub(r"```.*?```", "", page.read_text(), flags=re.S)
            for path in re.findall(r"`((?:gst|plugins|tests|docs)(?:/[\w.-]+)+)/?`", text):
                with self.subTest(page=page.name, path=path):
                    self.assertTrue("tcpflags" in path or any(
                        re.match(rf"{re.escape(path)}(?:$|[./])", file) for file in files))

    def test_links(self):
        """Files that the documentation points to exist, and the sections in them."""
        def prose(page):
            return re.sub(r"```.*?```", "", page.read_text(), flags=re.S)

        def anchors(page):
            titles = re.findall(r"^#+ (.*)$", prose(page), re.M)
            return {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}
        for page in doc_commands.PAGES:
            for link in re.findall(r"\]\(([^):]+)\)", prose(page)):
                path, _, anchor = link.partition("#")
                with self.subTest(page=page.name, link=link):
                    target = page.parent / path if path else page
                    self.assertTrue(target.exists())
                    if anchor:
                        self.assertIn(anchor, anchors(target))
