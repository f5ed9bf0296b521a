# SPDX-License-Identifier: MIT
"""A real collectd in a private directory, as the tests of the plugin need it."""

import os
import re
import shutil
import signal
import socket
import subprocess
import time

import tap

PROGRAM = shutil.which("collectd", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
TYPES_DB = "/usr/share/collectd/types.db"
PRELOAD = os.environ.get("QMEM_PRELOAD", "")
STOP = 20     # seconds an agent may take to stop, on a machine with something else to do, too
SLOW = 60     # for what must come; a bound, never a goal


def directory_of_plugins():
    text = subprocess.run([PROGRAM, "-h"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"^\s*Plugin directory\s+(\S+)", text, re.M)
    return found.group(1) if found else "/usr/lib/collectd"


def types():
    """name -> [(source, kind, min, max)] of the daemon's types.db."""
    found = {}
    for line in tap.read(TYPES_DB).splitlines():
        words = line.split("#")[0].replace(",", " ").split()
        if words:
            found[words[0]] = [tuple(source.split(":")) for source in words[1:]]
    return found


def skip_without_collectd():
    if os.environ.get("QMEM_COLLECTD") == "no":
        tap.skip_all("built without the collectd plugin")
    if not PROGRAM:
        tap.skip_all("no collectd is installed")


class Collectd:
    """
    `config` is the text inside of <Plugin qmem>, or None for no such block; `extra` is put at the end of the file.
    Notifications go to the program notify.sh where `execs` is set, one file for each in self.notified.
    """

    def __init__(self, config=None, extra="", interval=1, plugins=None, plugin="qmem", execs=None, environment=None,
                 wrapper=(), preload=PRELOAD):
        self.directory = tap.directory()
        self.log = os.path.join(self.directory, "log")
        self.csv = os.path.join(self.directory, "csv")
        self.socket = os.path.join(self.directory, "sock")
        self.notified = os.path.join(self.directory, "notified")
        self.wrapper = list(wrapper)
        self.child = None
        os.mkdir(self.notified)
        self.environment = dict(os.environ, **(environment or {}))
        if preload:
            self.environment.update(
                LD_PRELOAD=preload,
                TSAN_OPTIONS=f"exitcode=66:log_path={self.directory}/sanitizer",
                ASAN_OPTIONS=f"detect_leaks=1:exitcode=99:log_path={self.directory}/sanitizer",
                UBSAN_OPTIONS=f"print_stacktrace=1:halt_on_error=1:log_path={self.directory}/sanitizer")
        text = f'''
Hostname "testhost"
FQDNLookup false
BaseDir "{self.directory}"
PIDFile "{self.directory}/pid"
TypesDB "{TYPES_DB}"
Interval {interval}
LoadPlugin logfile
<Plugin logfile>
	LogLevel info
	File "{self.log}"
	Timestamp false
	PrintSeverity true
</Plugin>
LoadPlugin csv
<Plugin csv>
	DataDir "{self.csv}"
	StoreRates false
</Plugin>
LoadPlugin unixsock
<Plugin unixsock>
	SocketFile "{self.socket}"
	SocketGroup "{_group()}"
	DeleteSocket true
</Plugin>
'''
        if execs:
            text += self._exec(execs)
        text += f'''
PluginDir "{plugins or os.path.join(tap.BUILD, '.libs')}"
LoadPlugin {plugin}
PluginDir "{directory_of_plugins()}"
'''
        if config is not None:
            text += f"<Plugin {plugin}>\n{config}\n</Plugin>\n"
        self.conf = os.path.join(self.directory, "collectd.conf")
        tap.write(self.conf, text + extra)

    def _exec(self, user):
        """A program of an agent's user, who may write one directory."""
        os.chmod(self.notified, 0o777)
        script = os.path.join(self.directory, "notify.sh")
        tap.write(script, f"""#!/bin/sh
unset LD_PRELOAD
# What comes on stdin, whole, under a name that appears when it is complete.
cat >"{self.notified}/.$$" && mv "{self.notified}/.$$" "{self.notified}/$$.$(date +%N)"
""")
        os.chmod(script, 0o755)
        return f'LoadPlugin exec\n<Plugin exec>\n\tNotificationExec "{user}" "{script}"\n</Plugin>\n'

    def give_to(self, uid, gid):
        for where, directories, files in os.walk(self.directory):
            for name in [where] + [os.path.join(where, f) for f in directories + files]:
                os.chown(name, uid, gid)

    def start(self, seconds=SLOW):
        """True when it reads, or may some day."""
        self.child = tap.start([*self.wrapper, PROGRAM, "-f", "-C", self.conf], env=self.environment,
                               stdin=subprocess.DEVNULL, stdout=open(f"{self.directory}/out", "ab"),
                               stderr=open(f"{self.directory}/err", "ab"))
        tap.wait_for(lambda: self.child.poll() is not None or (self.logged("entering read-loop") and self.listens()),
                     seconds)
        return self.child.poll() is None

    def listens(self):
        """The socket is there some time before it can be connected to."""
        with socket.socket(socket.AF_UNIX) as s:
            try:
                s.connect(self.socket)
            except OSError:
                return False
        return True

    def stop(self):
        """(exit status, seconds)"""
        began = time.monotonic()
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(tap.patience(SLOW))
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        return self.child.returncode, time.monotonic() - began

    def test(self):
        """collectd -T: the exit status of load, configuration and init."""
        return subprocess.run([*self.wrapper, PROGRAM, "-T", "-C", self.conf], env=self.environment, check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              timeout=tap.patience(SLOW)).returncode

    def text(self, name="log"):
        path = os.path.join(self.directory, name)
        return tap.read(path) if os.path.exists(path) else ""

    def logged(self, words):
        return words in self.text()

    def warnings(self):
        """Lines of qmem's that are more than an information; not that a read took long, on a machine with much to do."""
        return [line for line in self.text().splitlines()
                if "qmem" in line and re.match(r"\[(warning|error)\]", line) and "Notification:" not in line
                and "which is above its read interval" not in line]

    def reports(self):
        """What sanitizers have said."""
        return "".join(self.text(name) for name in sorted(os.listdir(self.directory)) if name.startswith("sanitizer"))

    def command(self, line):
        """The lines that the unixsock answers."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(SLOW)
            s.connect(self.socket)
            f = s.makefile("rw", encoding="utf-8", errors="surrogateescape")
            f.write(line + "\n")
            f.flush()
            first = f.readline()
            n = int(first.split()[0])
            return [f.readline().rstrip("\n") for _ in range(n)] if n >= 0 else [first.rstrip("\n")]

    def identifiers(self):
        return [line.split(" ", 1)[1].split("/", 1)[1] for line in self.command("LISTVAL")]

    def value(self, identifier):
        """{source: value}: gauges as they are, rates of what counts."""
        return {name: float(number) for name, number in
                (line.split("=", 1) for line in self.command(f'GETVAL "testhost/{identifier}"') if "=" in line)}

    def written(self, identifier):
        """Lists of raw values, the oldest first; each begins with its time."""
        path, rows = os.path.join(self.csv, "testhost"), []
        directory, name = os.path.join(path, os.path.dirname(identifier)), os.path.basename(identifier)
        for file in sorted(os.listdir(directory)) if os.path.isdir(directory) else []:
            if re.fullmatch(re.escape(name) + r"-\d{4}-\d\d-\d\d", file):
                lines = tap.read(os.path.join(directory, file)).split("\n")
                rows += [[float(word) for word in line.split(",")] for line in lines[1:-1]]
        return rows

    def notifications(self):
        """What the program has got: dicts of the header lines, the message as None."""
        found = []
        for name in sorted(os.listdir(self.notified)):
            if not name.startswith("."):
                head, _, message = tap.read(os.path.join(self.notified, name)).partition("\n\n")
                found.append({None: message.rstrip("\n"), **dict(line.split(": ", 1) for line in head.split("\n"))})
        return found


def _group():
    import grp
    return grp.getgrgid(os.getgid()).gr_name
