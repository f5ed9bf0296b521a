# SPDX-License-Identifier: MIT
"""bootstrap with a package manager, an autoreconf and a configure that only write down what is asked of them."""

import os
import re
import shutil
import signal
import subprocess

import building
import tap

DENIES = "#!/bin/sh\nexit 101\n"
ALLOWS = "#!/bin/sh\nexit 0\n"

FAKES = {
    "apt-get": 'echo "apt-get $*" >>"$FAKE/log"\n[ "$1" != install ] || cat "$FAKE/policy" >>"$FAKE/seen"\n'
               '[ "$1" != install ] || [ ! -e "$FAKE/slow" ] || { touch "$FAKE/installing"; sleep 60; }\n'
               '[ "$1" != install ] || touch "$FAKE/installed"\n',
    "dpkg-query": 'for package; do :; done\n'
                  'if [ "$package" = libcap-dev ] && [ ! -e "$FAKE/installed" ]; then echo not-installed; else echo installed; fi\n',
    "sudo": 'echo sudo >>"$FAKE/log"\nexec "$@"\n',
    "id": 'if [ -e "$FAKE/user" ]; then echo 1000; else echo 0; fi\n',
    "autoreconf": 'echo autoreconf >>"$FAKE/log"\nmkdir -p build-aux\ntouch Makefile.in build-aux/ltmain.sh\n'
                  'cp "$FAKE/configure" configure\n',
    "make": 'echo "make $*" >>"$FAKE/log"\n',
}
CONFIGURE = '#!/bin/sh\necho "configure $*" >>"$FAKE/log"\ntouch config.status\n'


class Tree:
    def __init__(self, policy=None):
        self.root = tap.directory()
        self.policy = f"{self.root}/policy"
        os.makedirs(f"{self.root}/bin")
        os.makedirs(f"{self.root}/tree")
        for name, text in FAKES.items():
            self.program(f"bin/{name}", "#!/bin/sh\n" + text)
        self.program("configure", CONFIGURE)
        text = tap.read(os.path.join(tap.SRC, "bootstrap"))
        tap.write(f"{self.root}/tree/bootstrap", text.replace("policy=/usr/sbin/policy-rc.d\n", f"policy={self.policy}\n"))
        os.chmod(f"{self.root}/tree/bootstrap", 0o755)
        if policy:
            self.program("policy", policy)

    def program(self, name, text):
        tap.write(f"{self.root}/{name}", text)
        os.chmod(f"{self.root}/{name}", 0o755)

    def start(self, *words, **kwargs):
        environment = building.environment(FAKE=self.root, PATH=f"{self.root}/bin:{os.environ['PATH']}")
        return subprocess.Popen(["./bootstrap", *words], cwd=f"{self.root}/tree", env=environment, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **kwargs)

    def run(self, *words):
        """Exit status, its words, and what it has had done."""
        if os.path.exists(f"{self.root}/log"):
            os.unlink(f"{self.root}/log")
        child = self.start(*words)
        text = child.communicate()[0]
        log = f"{self.root}/log"
        return child.returncode, text, tap.read(log).splitlines() if os.path.exists(log) else []


def names(lines, word):
    return [line for line in lines if line.split()[0] == word]


tree = Tree()
status, said, log = tree.run()
tap.same(status, 0, "a fresh clone") or tap.diag(said)
tap.ok(names(log, "apt-get")[-1].startswith("apt-get install -y") and names(log, "apt-get")[-1].endswith(" libcap-dev"),
       "what is missing is installed, and nothing else", log)
tap.same(tap.read(f"{tree.root}/seen").splitlines()[-1], "exit 101", "meanwhile no service may be started")
tap.ok(not os.path.exists(tree.policy), "that rule goes again")
tap.ok(names(log, "autoreconf") and names(log, "configure") and names(log, "make"), "then configure, build", log)
status, said, log = tree.run()
tap.ok(status == 0 and not names(log, "apt-get") + names(log, "autoreconf") + names(log, "configure"),
       "a second run installs and configures nothing", log)
_, _, log = tree.run("--enable-werror", "lint", "X=1")
tap.ok(names(log, "configure") == ["configure -q --enable-werror"] and log[-1].endswith(" lint X=1"),
       "options go to configure, words to make", log)
_, _, log = tree.run()
tap.same(names(log, "configure"), [], "no option means: as it is")
_, _, log = tree.run("check")
tap.same([line.split()[2] + " " + line.split()[-1] for line in names(log, "make")],
         ["build --no-print-directory", "build check", "build-asan check", "build check-dist"], "check is three things")
_, said, log = tree.run("check-quick")
tap.same(log[-1].split()[-1], "check-quick", "check-quick is one")
tap.ok(re.search(r"slowest first:\n +[\d.]+  all of it$", said, re.M), "and how long it took is told", said)
for name in os.listdir(f"{tree.root}/tree"):
    if name.startswith("build"):
        shutil.rmtree(f"{tree.root}/tree/{name}")
_, _, log = tree.run()
tap.ok(names(log, "autoreconf") and names(log, "configure"), "rm -r build* is no harm", log)

for policy, what in ((DENIES, "denies"), (ALLOWS, "allows")):
    tree = Tree(policy)
    status, said, _ = tree.run()
    tap.ok(status == 0 and "exit 101" in tap.read(f"{tree.root}/seen"), f"an administrator's policy-rc.d that {what}: no service", said)
    tap.same(tap.read(tree.policy), policy, f"an administrator's policy-rc.d that {what}: is there again")

tree = Tree(ALLOWS)
tap.write(f"{tree.root}/slow", "")
# where a shell has started us in the background, this is ignored
child = tree.start(start_new_session=True, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
tap.ok(tap.wait_for(lambda: os.path.exists(f"{tree.root}/installing")), "while packages are installed")
os.killpg(child.pid, signal.SIGINT)
child.communicate()
tap.ok(child.returncode, "Ctrl-C ends it")
tap.ok(tap.wait_for(lambda: tap.read(tree.policy) == ALLOWS), "and what was there is there again")

tree = Tree()
tap.write(f"{tree.root}/user", "")
_, _, log = tree.run()
tap.ok("sudo" in log, "who is not root uses sudo", log)

tree = Tree()
for name in ("apt-get", "dpkg-query", "autoreconf", "make"):
    os.unlink(f"{tree.root}/bin/{name}")
for name in ("sh", "dirname", "nproc", "env", "cat", "mkdir", "id", "grep"):
    if not os.path.exists(f"{tree.root}/bin/{name}"):
        os.symlink(shutil.which(name), f"{tree.root}/bin/{name}")
done = subprocess.run(["./bootstrap"], cwd=f"{tree.root}/tree", env={"PATH": f"{tree.root}/bin"}, stdin=subprocess.DEVNULL,
                      capture_output=True, text=True, check=False)
tap.ok(done.returncode and "collectd-dev" in done.stderr and "autoreconf" in done.stderr, "without apt-get the list is printed",
       done.stdout, done.stderr)

tree = Tree()
tap.write(f"{tree.root}/tree/config.status", "")
status, said, log = tree.run()
tap.ok(status and "make distclean" in said and not log, "a source that is configured in place is explained", said)
tap.done()
