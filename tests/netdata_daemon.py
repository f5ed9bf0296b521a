# SPDX-License-Identifier: MIT
"""A private Netdata of this machine's package: own directories, 127.0.0.1 only, nothing sent to anyone."""

import json
import os
import pwd
import re
import shutil
import signal
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import tap

CONFIG = """
[global]
	run as user = {user}
	hostname = private
[directories]
	config = {root}/etc
	stock config = {root}/stock
	plugins = "{root}/plugins.d"
	log = {root}/log
	lib = {root}/lib
	cache = {root}/cache
	home = {root}/lib
	lock = {root}/lock
	registry = {root}/lib/registry
	health config = {root}/etc/health.d
	stock health config = {root}/stock/health.d
	web = /usr/share/netdata/web
[db]
	mode = ram
	retention = 600
	update every = {every}
	cleanup obsolete charts after secs = 10
[web]
	bind to = 127.0.0.1
	default port = {port}
	web server threads = 2
	web files owner = {user}
	web files group = {group}
[registry]
	enabled = no
[health]
	enabled = yes
	enable stock health configuration = yes
	script to execute on alarm = /bin/true
	run at least every seconds = 1
[statsd]
	enabled = no
[ml]
	enabled = no
[plugins]
	timex = no
	idlejitter = no
	netdata monitoring = no
	netdata monitoring extended = no
	tc = no
	diskspace = no
	proc = no
	cgroups = no
	slabinfo = no
	check for new plugins every = 5
"""


def program():
    return shutil.which("netdata") or shutil.which("netdata", path="/usr/sbin:/usr/local/sbin")


class Netdata:
    """Runs until stop(). `config` is qmem.conf; None: the stock one."""

    def __init__(self, config=None, every=1, plugin=None, environment=None):
        self.root = tap.directory()
        for name in ("etc/health.d", "stock/health.d", "plugins.d", "log", "lib/registry", "cache", "lock", "run"):
            os.makedirs(os.path.join(self.root, name))
        source = os.path.join(tap.SRC, "conf", "netdata")
        shutil.copy(os.path.join(source, "qmem.conf"), os.path.join(self.root, "stock"))
        shutil.copy(os.path.join(source, "health.d", "qmem.conf"), os.path.join(self.root, "stock", "health.d"))
        if config is not None:
            tap.write(os.path.join(self.root, "etc", "qmem.conf"), config)
        self.plugin = os.path.join(self.root, "plugins.d", "qmem.plugin")
        os.symlink(plugin or os.path.join(tap.BUILD, "qmem.plugin"), self.plugin)
        tap.write(os.path.join(self.root, "etc", ".opt-out-from-anonymous-statistics"), "")
        self.port = tap.free_port()
        user = pwd.getpwuid(os.geteuid())
        self.config = os.path.join(self.root, "etc", "netdata.conf")
        tap.write(self.config, CONFIG.format(root=self.root, port=self.port, every=every, user=user.pw_name, group=user.pw_name))
        env = {key: value for key, value in os.environ.items() if not key.startswith("NETDATA_")}
        env.update(DISABLE_TELEMETRY="1", DO_NOT_TRACK="1", **(environment or {}))
        with open(os.path.join(self.root, "stderr"), "wb") as err:
            self.child = tap.start([program(), "-D", "-c", self.config, "-P", os.path.join(self.root, "run", "netdata.pid")],
                                   stdin=subprocess.DEVNULL, stdout=err, stderr=err, env=env, start_new_session=True)

    def get(self, path, **query):
        """The answer as JSON; None if there is none."""
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}"
        if query:
            url += "?" + urllib.parse.urlencode(query)
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return json.load(answer)
        except (OSError, ValueError, urllib.error.HTTPError):
            return None

    def charts(self):
        answer = self.get("charts")
        return {name: chart for name, chart in (answer or {}).get("charts", {}).items() if name.startswith("qmem.")}

    def rows(self, chart, seconds=10, **query):
        """[{time, dimension: value}], the newest first."""
        answer = self.get("data", chart=chart, after=-seconds, format="json", options="jsonwrap", **query)
        if not answer or "result" not in answer:
            return []
        return [dict(zip(answer["result"]["labels"], row)) for row in answer["result"]["data"]]

    def last(self, chart):
        """The newest row that has a value."""
        for row in self.rows(chart):
            if any(value is not None for name, value in row.items() if name != "time"):
                return row
        return None

    def alarms(self):
        """{(template, chart): alarm}"""
        answer = self.get("alarms?all") or {}
        return {(alarm["name"], alarm["chart"]): alarm for alarm in answer.get("alarms", {}).values()}

    def log(self, name="error.log"):
        path = os.path.join(self.root, "log", name)
        return tap.read(path) if os.path.exists(path) else tap.read(os.path.join(self.root, "stderr"))

    def plugin_pid(self):
        """The pid of the running plugin, or None."""
        for pid in os.listdir("/proc"):
            if not pid.isdigit():
                continue
            try:
                words = tap.read(f"/proc/{pid}/cmdline").split("\0")
            except OSError:
                continue
            if self.plugin in words:
                return int(pid)
        return None

    def complaints(self):
        """What the log holds against us, or against the health configuration; not what we told of this machine, nor that a
        chart that is gone has no files, which in ram none has."""
        # 1.37.1 does not know what a summary is
        machine = r"(WARNING|FAILURE|OKAY): |procstat: \d+ tasks in state D |the agent does not read"
        lines = self.log().replace(self.root, "").splitlines()
        return [line for line in lines if re.search(r"qmem|health (config|file)|template|alarm", line, re.I)
                and re.search(r" ERROR ?:| WARNING ?:|FATAL", line)
                and not re.search(rf"qmem\.plugin \w+ +: MAIN : ({machine})|health-log\.db|left-over chart directory|has unknown key 'summary'", line)]

    def stop(self):
        """The agent's exit status, None when it hangs; the plugin goes with it."""
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
        tap.wait_for(lambda: self.child.poll() is not None, 30)
        return self.child.poll()

    def end(self):
        """Stops it. None, or what is wrong with its end. 1.37.1 may release what it has freed when all its threads have ended,
        and it gives back the memory of charts that had become obsolete: that is its own doing, and told only."""
        if self.child.poll() is not None:
            return f"it had ended before, with {self.child.poll()}: {self.log()[-3000:]}"
        status = self.stop()
        tap.diag(f"the agent's status: {status}")
        if status == 0 or (status is not None and "EXIT: freeing database memory" in self.log()):
            return None
        return f"{status}: {self.log()[-3000:]}"


def reap(netdata):
    """Whatever has not obeyed."""
    pid = netdata.plugin_pid()
    if pid:
        os.kill(pid, signal.SIGKILL)
