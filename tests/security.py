# SPDX-License-Identifier: MIT
"""
Who may run qmem.plugin must not read through it what he may not read himself: each attack as a user without rights, on a copy
with the capabilities of an installed one. Then, as anybody, files that are none.
"""

import os
import re
import shutil
import signal
import stat
import subprocess

import building
import capabilities
import tap

PLUGIN = os.path.join(tap.BUILD, "qmem.plugin")
BINARY = os.path.join(tap.BUILD, ".libs", "qmem.plugin")
DIR = tap.directory()
USER = 61234    # nobody's
SECRET, LEAKED = "qmemsecretword", "qmemleakeduser"
AS_USER = ("setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--inh-caps=-all")
RECORDED = os.path.join(tap.SRC, "tests", "roots", "6.12-x86_64", "1")
BOUND = 60      # seconds, so that what hangs is seen


class Victim:
    """A process of root's whose mappings are a secret, and would be a user in a file of users."""

    def __init__(self):
        path = f"{DIR}/{SECRET}:{USER}:x"
        shutil.copy(shutil.which("cat"), path)
        self.child = tap.start(["x"], executable=path, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        self.file = f"/proc/{self.child.pid}/maps"
        tap.wait_for(lambda: SECRET in tap.read(self.file))


def run(*words, user=AS_USER, program=None, **more):
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C", **more}
    return subprocess.run([*user, program or PLUGIN, *words], env=env, capture_output=True, text=True, errors="replace",
                          stdin=subprocess.DEVNULL, timeout=tap.patience(BOUND), check=False)


def put_process(root, pid):
    directory = f"{root}/proc/{pid}"
    tap.write(f"{directory}/stat", f"{pid} (mine) S 0 1 1 0 -1 0 5 0 6 0 1 1 0 0 20 0 1 0 {pid} 4096000 100 0\n")
    tap.write(f"{directory}/statm", "1000 300 100 1 0 200 0\n")
    tap.write(f"{directory}/status", f"Name:\tmine\nUid:\t{USER}\t{USER}\t{USER}\t{USER}\nVmRSS:\t1200 kB\n")
    return directory


def make_root(name, pids=(1000,)):
    root = f"{DIR}/{name}"
    for pid in pids:
        put_process(root, pid)
    return root


def own(root):
    for folder, names, files in os.walk(root):
        for path in [folder, *(os.path.join(folder, one) for one in names + files)]:
            os.lchown(path, USER, USER)
    return root


def config(text):
    config.count += 1
    path = f"{DIR}/{config.count}.conf"
    tap.write(path, text)
    return path


config.count = 0


def oracle(program, root, *more, user=AS_USER, **env):
    """What is printed of the processes below the root, and whether one of them has the secret."""
    head = f"[global]\nHostRoot = {root}\n" if root else ""
    path = config(f'{head}[procmem]\nDetail = yes\n[procmem.group "hit"]\nCmdline = /{SECRET}/\n[proctable]\nBackend = files\n')
    done = run("--config", path, "--print", "procmem", *more, user=user, program=program, **env)
    return done, bool(re.search(r"count\[hit\]\t[1-9]", done.stdout))


def users(program, root, user=AS_USER):
    done = run("--config", config(f"[global]\nHostRoot = {root}\n[procmem]\nGroupBy = user\n[proctable]\nBackend = files\n"), "--print", "procmem",
               user=user, program=program)
    return done, LEAKED in done.stdout or "r--p" in done.stdout


# ---- links of one's own ----

def links(program, victim):
    root = make_root("links", pids=(1000, 1001))
    os.symlink(victim.file, f"{root}/proc/1000/cmdline")
    os.symlink("../there/maps", f"{root}/proc/1001/cmdline")
    os.symlink(os.path.dirname(victim.file), f"{root}/proc/there")
    done, hit = oracle(program, own(root))
    tap.ok(not hit and "count[mine]" in done.stdout, "links in place of cmdline and its directory lead out of no root", done.stdout, done.stderr)
    done, hit = oracle(program, None, NETDATA_HOST_PREFIX=root)
    tap.ok(not hit and "count[mine]" in done.stdout, "nor below NETDATA_HOST_PREFIX", done.stdout, done.stderr)

    root = f"{DIR}/whole"
    os.makedirs(root)
    os.symlink("/proc", f"{root}/proc")
    done, _ = oracle(program, own(root))
    tap.ok("count" not in done.stdout, "nor one in place of proc", done.stdout, done.stderr)

    root = make_root("passwd")
    os.makedirs(f"{root}/etc")
    os.symlink(victim.file, f"{root}/etc/passwd")
    done, leaked = users(program, own(root))
    tap.ok(not leaked and f"[{USER}]" in done.stdout, "nor one in place of etc/passwd", done.stdout, done.stderr)
    os.remove(f"{root}/etc/passwd")
    tap.write(f"{root}/run/users", f"{LEAKED}:x:{USER}:0::/:/bin/sh\n")
    os.symlink("/etc/static", f"{root}/etc/passwd")
    os.symlink("../run/users", f"{root}/etc/static")
    done, found = users(program, own(root))
    tap.ok(found, "one that stays below the root is", done.stdout, done.stderr)


# ---- ways of one's own ----

def ways(program, victim):
    """A mount namespace of the user's own: a real procfs, with one file of it over another."""
    script = ('mount -t tmpfs none "$1" && mkdir "$1/proc" && mount --rbind /proc "$1/proc" && cd "$1" || exit 1; '
              'mount --bind "$2" "$1/proc/$$/cmdline" || exit 1; echo $$; read x')
    there = f"{DIR}/there"
    os.makedirs(there)
    child = tap.start([*AS_USER, "unshare", "-Urm", "sh", "-c", script, "sh", there, victim.file], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                      stderr=subprocess.PIPE, text=True)
    pid = child.stdout.readline().strip()
    if not pid:
        child.stdin.close()
        tap.skip("a mount namespace of the user's", child.stderr.read().strip()[-100:])
    else:
        done, hit = oracle(program, f"/proc/{pid}/root{there}")
        tap.ok(not hit, "by /proc/PID/root into a mount namespace of the user's nothing is read with rights", done.stdout, done.stderr)
        shell = ("sh", "-c", 'exec 9<"$0" && cd "$0" && exec "$@"', f"/proc/{pid}/root{there}")
        done, hit = oracle(program, "/proc/self/fd/9", user=(*AS_USER, *shell))
        tap.ok(not hit, "nor by /proc/self/fd", done.stdout, done.stderr)
        for root in (f"/proc/{pid}/cwd", "."):
            done = run("--config", config(f"[global]\nHostRoot = {root}\n"), "--check", user=(*AS_USER, *shell), program=program)
            tap.ok("lacks CAP_SYS_PTRACE" in done.stdout, f"nor by {root[:5]}", done.stdout, done.stderr)
        child.stdin.close()
    child.wait()


def mounted(program, victim):
    """As an administrator may have made it: a user's directory with a real procfs, as of a chroot. Rights are lent there."""
    root = f"{DIR}/mounted"
    for name in ("proc", "etc", "home"):
        os.makedirs(f"{root}/{name}")
    os.symlink(victim.file, f"{root}/etc/passwd")
    os.symlink("proc", f"{root}/home/proc")
    own(root)
    mount = ("unshare", "-m", "sh", "-c", 'mount -t proc proc "$0/proc" && exec "$@"', root)
    done, leaked = users(program, root, user=(*mount, *AS_USER))
    if not done.stdout:
        tap.skip("a procfs in a user's directory", done.stderr.strip()[-100:])
        return
    tap.ok(not leaked and "count[0]" in done.stdout, "a procfs in a user's directory: etc/passwd leads nowhere", done.stdout, done.stderr)
    done = run("--config", config(f"[global]\nHostRoot = {root}\n"), "--check", user=(*mount, *AS_USER), program=program)
    tap.ok("lacks CAP_SYS_PTRACE" not in done.stdout and "proctable\ton" in done.stdout, "a procfs in a user's directory: is a real one", done.stdout)
    done = run("--config", config(f"[global]\nHostRoot = {root}/home\n"), "--check", user=(*mount, *AS_USER), program=program)
    tap.ok("proctable\toff" in done.stdout, "a procfs in a user's directory: not by a link that leaves the root", done.stdout)


# ---- rights ----

def rights(program, given):
    """Those of a running plugin: of all its threads, from its first tick on."""
    for name, root in (("a real procfs", "/"), ("a root of the user's", make_root("rights"))):
        path = config(f"[global]\nHostRoot = {root}\n[procmem]\nGroupBy = exe\n")
        permitted, effective = capabilities.kept(run("--config", path, "--check", program=program).stdout, given) if root == "/" else (0, 0)
        child = tap.start([*AS_USER, program, "--config", path, "1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        os.set_blocking(child.stdout.fileno(), True)
        for line in child.stdout:
            if line.startswith(b"END"):
                break
        tap.wait_for(lambda: len(os.listdir(f"/proc/{child.pid}/task")) > 1)
        found = [tuple(capabilities.of(f"/proc/{child.pid}/task/{tid}/status")[key] for key in ("Prm", "Eff", "Inh", "Amb"))
                 for tid in os.listdir(f"/proc/{child.pid}/task")]
        tap.same(set(found), {(permitted, effective, 0, 0)}, f"{name}: what each of {len(found)} threads may")
        child.send_signal(signal.SIGTERM)
        child.stdout.close()
        child.stdin.close()
        child.wait()
    done = run("--config", config(f"[global]\nHostRoot = {make_root('told')}\n"), "--check", program=program)
    tap.ok("lacks CAP_SYS_PTRACE" in done.stdout, "and --check tells of those that it does not have", done.stdout, done.stderr)


def configurations(program, victim, name):
    """What is read by name is read as the user: what is wrong with it is told, and what it says with it."""
    hidden = f"{DIR}/hidden-{name}.conf"
    tap.write(hidden, f"[{SECRET}]\nkey = value\n")
    os.chmod(hidden, 0o600)
    for path in (victim.file, hidden, f"/proc/{victim.child.pid}/root/etc/shadow"):
        done = run("--config", path, "--check", program=program)
        tap.ok(SECRET not in done.stdout + done.stderr and "ermission denied" in done.stdout + done.stderr,
               f"{name}: --config {os.path.basename(path)}", done.stdout, done.stderr)
    tap.write(f"{DIR}/{name}/qmem.conf", f"[{SECRET}]\nkey = value\n")
    os.chmod(f"{DIR}/{name}", 0o700)
    done = run("--check", program=program, NETDATA_USER_CONFIG_DIR=f"{DIR}/{name}", NETDATA_STOCK_CONFIG_DIR="/")
    tap.ok(SECRET not in done.stdout + done.stderr, f"{name}: NETDATA_USER_CONFIG_DIR", done.stdout, done.stderr)
    done = run("--check", program=program)
    tap.ok("proctable\ton" in done.stdout and "lacks CAP_SYS_PTRACE" not in done.stdout, f"{name}: it does its work", done.stdout, done.stderr)


def lent(given, victim):
    """What goes before the modes of files is there for the files of its row, in a job too, and for no other."""
    # how many files are open is no secret since Linux 6.2: the directory's size, which needs no reading
    family, what = ("calls.read", "reads") if os.stat("/proc/self/fd").st_size else (r"files.\w+", "open files")
    program, reason = copy("wide", ",".join([*given, "cap_dac_read_search"]) + "=p")
    if reason or not capabilities.bounded(["cap_dac_read_search"]):
        tap.skip("what is lent", reason or "not in the bounding set")
        return
    name = tap.read(f"/proc/{victim.child.pid}/comm").strip()
    path = config(f"[procio]\nFiles = yes\nTop = 1000\n[procmem.group \"victim\"]\nComm = {name}\n[proctable]\nBackend = files\n")
    for one, there in ((program, True), (copy("narrow", ",".join(given) + "=p")[0], False)):
        done = run("--config", path, "--print", "procio", program=one)
        tap.same(bool(re.search(rf"^procio\.{family}\[victim\]\t\d", done.stdout, re.M)), there,
                 f"{what} of another user's process {'with' if there else 'without'} CAP_DAC_READ_SEARCH") or tap.diag(done.stdout[-3000:])


def copy(name, *setcap, mode=0o755):
    """A copy of the plugin, or why there is none."""
    path = f"{DIR}/{name}.plugin"
    shutil.copy(BINARY if os.path.exists(BINARY) else PLUGIN, path)
    os.chmod(path, mode)
    if not setcap:
        return path, ""
    done = subprocess.run(["setcap", *setcap, path], check=False, capture_output=True, text=True)
    return path, done.stderr.strip() if done.returncode else ""


def attacks():
    given = building.variables(tap.BUILD, "PLUGIN_CAPS")["PLUGIN_CAPS"][:-len("=p")].split(",")
    program, reason = copy("permitted", ",".join(given) + "=p")
    if reason:
        tap.skip("attacks", f"setcap: {reason}")
        return
    given = capabilities.bounded(given)
    victim = Victim()
    done = subprocess.run([*AS_USER, "cat", victim.file], capture_output=True, check=False)
    tap.ok(done.returncode and not done.stdout, "the secret is one", done.stdout)
    links(program, victim)
    ways(program, victim)
    mounted(program, victim)
    rights(program, given)
    configurations(program, victim, "permitted")
    lent(given, victim)
    # as the manual does not say
    configurations(copy("effective", "cap_sys_ptrace,cap_dac_override=ep")[0], victim, "effective")
    configurations(copy("setuid", mode=0o4755)[0], victim, "setuid")
    victim.child.stdin.close()
    victim.child.wait()


# ---- what is no file ----

def no_files():
    root = f"{DIR}/odd"
    shutil.copytree(RECORDED, root)
    tap.write(f"{root}/proc/net/dev", "")
    for name in ("meminfo", "vmstat", "stat", "loadavg", "pressure/memory"):
        os.remove(f"{root}/proc/{name}")
    os.mkfifo(f"{root}/proc/meminfo")
    os.mkdir(f"{root}/proc/vmstat")
    try:
        os.mknod(f"{root}/proc/stat", stat.S_IFCHR | 0o666, os.makedev(1, 5))
    except PermissionError:
        os.mkfifo(f"{root}/proc/stat")
    with open(f"{root}/proc/loadavg", "wb") as f:
        f.truncate(1 << 40)
    os.symlink("memory", f"{root}/proc/pressure/memory")
    os.mkfifo(f"{root}/etc-passwd")
    tap.write(f"{root}/etc/x", "")
    os.symlink("../etc-passwd", f"{root}/etc/passwd")
    for pid in (1000, 1001):
        directory = put_process(root, pid)
        for name in ("smaps", "smaps_rollup", "cmdline", "cgroup", "wchan"):
            os.mkfifo(f"{directory}/{name}")
    os.remove(f"{root}/proc/1001/statm")
    os.mkfifo(f"{root}/proc/1001/statm")
    path = config(f"[global]\nHostRoot = {root}\n[proctable]\nBackend = files\n[procmem]\nGroupBy = user\nPssBudget = 1s\n"
                  '[procmem.group "hit"]\nCmdline = /x/\n[heapmon]\nEnabled = yes\nGroup = mine\n')
    done = run("--config", path, "--print", user=())
    for file, words in (("meminfo", "a FIFO, a device or a socket"), ("vmstat", "Is a directory"), ("stat", "a FIFO, a device or a socket"),
                        ("pressure/memory", "a link that leads in a circle")):
        tap.ok(re.search(rf"/proc/{file}'.*{words}", done.stderr), f"/proc/{file}: {words}", done.stderr)
    tap.ok(f"count[{USER}]" in done.stdout, "what are files is read all the same", done.stdout, done.stderr)
    for name, make in (("FIFO", os.mkfifo), ("directory", os.mkdir)):
        make(f"{DIR}/{name}.conf")
        done = run("--config", f"{DIR}/{name}.conf", "--check", user=())
        tap.ok(done.returncode == 1 and f"{name}.conf" in done.stdout, f"a {name} for a configuration", done.stdout, done.stderr)


def main():
    if not os.access(PLUGIN, os.X_OK):
        tap.skip_all("qmem.plugin is not built")
    os.umask(0o022)
    if os.geteuid() == 0 and shutil.which("setcap") and shutil.which("setpriv") and not os.environ.get("QMEM_SANITIZERS"):
        attacks()
    else:
        tap.skip("attacks", "needs root, setcap and a plugin without sanitizers")
    no_files()
    tap.done()


main()
