#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""sockstat on a live kernel, against ss, /proc/net/tcp and /proc/net/unix: 500 listeners and 300 pairs in a network namespace of our own."""

import collections
import ctypes
import fcntl
import os
import re
import resource
import shutil
import socket
import struct
import subprocess

import tap

TICKS = os.path.join(tap.BUILD, "tests/ticks")
NEWNET, NEWUSER = 0x40000000, 0x10000000
LISTENERS, PAIRS = 500, 300
FIRST = 20000  # port
STATES = {1: "established", 2: "syn_sent", 3: "syn_recv", 4: "fin_wait1", 5: "fin_wait2", 6: "time_wait", 8: "close_wait",
          9: "last_ack", 10: "listen", 11: "closing", 12: "syn_recv"}
OF_SS = {"ESTAB": "established", "SYN-SENT": "syn_sent", "SYN-RECV": "syn_recv", "FIN-WAIT-1": "fin_wait1",
         "FIN-WAIT-2": "fin_wait2", "TIME-WAIT": "time_wait", "CLOSE-WAIT": "close_wait", "LAST-ACK": "last_ack",
         "LISTEN": "listen", "CLOSING": "closing"}


def own_namespace():
    """Enters one; False where that is not allowed."""
    libc = ctypes.CDLL(None, use_errno=True)
    uid, gid = os.getuid(), os.getgid()
    if libc.unshare(NEWNET):
        if libc.unshare(NEWNET | NEWUSER):
            return False
        tap.write("/proc/self/setgroups", "deny")
        tap.write("/proc/self/uid_map", f"0 {uid} 1\n")
        tap.write("/proc/self/gid_map", f"0 {gid} 1\n")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        request = struct.pack("16sh22x", b"lo", 0)
        flags = struct.unpack_from("16sh", fcntl.ioctl(s, 0x8913, request))[1]
        fcntl.ioctl(s, 0x8914, struct.pack("16sh22x", b"lo", flags | 1))
    return True


class Ticks:
    """The service alone, a tick at a time."""

    def __init__(self, *options, wrapper=()):
        off = [f"{name}.Enabled=no" for name in ("meminfo", "vmstat", "pressure", "netstat", "proctable", "procmem", "heapmon",
                                                 "cpuload", "procstat")]
        self.program = tap.start([*wrapper, TICKS, *off, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.events = []
        self.note = self.state().split(" ", 3)[2:]

    def ask(self, question):
        lines = []
        self.program.stdin.write(question + "\n")
        self.program.stdin.flush()
        for line in self.program.stdout:
            if line.rstrip("\n") == "end":
                return lines
            lines.append(line.rstrip("\n"))
        raise RuntimeError("ticks has died")

    def state(self):
        return next(line for line in self.ask("status") if line.startswith("status sockstat "))

    def tick(self, later=0):
        """{name: value}, a number or None."""
        values = {}
        for line in self.ask(f"+{later}"):
            found = re.match(r"sockstat\.(\w+\.\w+(?:\[.*\])?) (-|-?[0-9.]+) ", line)
            if found:
                values[found[1]] = None if found[2] == "-" else float(found[2])
            elif line.startswith("event "):
                self.events.append(line)
            elif line.startswith("  ") and self.events:
                self.events[-1] += "\n" + line
        return values

    def end(self):
        self.program.stdin.close()
        tap.same(self.program.wait(), 0, "it ends in peace")


def of_proc():
    """States of both families, and how many connections each port has that listens."""
    states, ports, listens = collections.Counter(), collections.Counter(), set()
    lines = [line.split() for name in ("tcp", "tcp6") if os.path.exists(f"/proc/net/{name}")
             for line in tap.read(f"/proc/net/{name}").splitlines()[1:]]
    for line in lines:
        states[STATES[int(line[3], 16)]] += 1
        if int(line[3], 16) == 10:
            listens.add(int(line[1].split(":")[1], 16))
    for line in lines:
        port = int(line[1].split(":")[1], 16)
        if port in listens and int(line[3], 16) in (1, 4, 5, 8, 9, 11):
            ports[port] += 1
    return states, ports, listens


def of_ss(*what):
    done = subprocess.run(["ss", "-Han", *what], capture_output=True, text=True, check=False)
    return [line.split() for line in done.stdout.splitlines()]


def listen(family, port, backlog=128):
    s = socket.socket(family, socket.SOCK_STREAM)
    if family == socket.AF_INET6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", port))
    s.listen(backlog)
    return s


def pair(server):
    client = socket.socket(server.family, socket.SOCK_STREAM)
    client.connect(server.getsockname()[:2])
    return client, server.accept()[0]


def states_of(values):
    return {name: int(value) for name, value in ((n[4:], v) for n, v in values.items() if n.startswith("tcp.")) if value}


def compare(values, name):
    states, ports, listens = of_proc()
    tap.same(states_of(values), {state: n for state, n in states.items() if n}, f"{name}: states are those of /proc/net/tcp and tcp6")
    if shutil.which("ss"):
        tap.same(states_of(values), dict(collections.Counter(OF_SS[line[0]] for line in of_ss("-t"))), f"{name}: and those of ss")
    else:
        tap.skip(f"{name}: and those of ss", "no ss")
    shown = {int(m[1]): v for m, v in ((re.match(r"port\.connections\[(\d+)\]", n), v) for n, v in values.items()) if m}
    tap.ok(shown and all(ports[port] == n for port, n in shown.items()), f"{name}: connections of the ports shown", shown, ports)
    tap.same(values.get("port.connections[other]", 0) + sum(shown.values()), sum(ports.values()),
             f"{name}: with the others they are all that there are")
    return listens


# ---- what is made ----

soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
if hard != resource.RLIM_INFINITY and hard < 2000:
    tap.skip_all("needs 2000 open files")
resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2000), hard))
root = os.geteuid() == 0
if not own_namespace():
    tap.skip_all("needs a network namespace of its own")
six = socket.has_ipv6 and os.path.exists("/proc/net/tcp6")
held = [listen(socket.AF_INET, FIRST + i) for i in range(LISTENERS - 200 * six)]
held += [listen(socket.AF_INET6, FIRST + 1000 + i) for i in range(200 * six)]
pairs = [pair(held[0]) for i in range(PAIRS - 100)] + [pair(held[1]) for i in range(40)] + [pair(held[-1]) for i in range(60)]

ticks = Ticks("sockstat.Namespace=self", "sockstat.Detail=yes", "sockstat.DumpBudget=1s")
values = ticks.tick()
tap.same(ticks.note[0], "on", "the service is on")
if values.get("tcp.listen") is None:
    tap.skip("sockets by state", f"this kernel does not tell: {ticks.note}")
    tap.done()
listens = compare(values, "500 listeners, 300 pairs")
tap.same(int(values["tcp.listen"]), LISTENERS, "all that listen are counted")
tap.same(int(values["tcp.established"]), 2 * PAIRS, "and both ends of each pair")
tap.same(int(values[f"port.connections[{FIRST}]"]), PAIRS - 100, "connections by port")
stats = dict(re.findall(r"^(\w+): (?:inuse|used) (\d+)", tap.read("/proc/net/sockstat") + tap.read("/proc/net/sockstat6") * six, re.M))
tap.same(int(values["sockets.tcp"]), int(stats["TCP"]), "totals are those of /proc/net/sockstat")
tap.same(int(values["sockets.tcp"] + (values["sockets.tcp6"] or 0)),
         sum(n for state, n in states_of(values).items() if state not in ("time_wait", "syn_recv")),
         "which are the sum of the states but TIME_WAIT and requests")

# ends of connections
for client, _ in pairs[:20]:
    client.close()
for client, server in pairs[20:50]:
    client.close()
    server.close()
tap.wait_for(lambda: of_proc()[0]["time_wait"] == 30 and of_proc()[0]["close_wait"] == 20)
values = ticks.tick(1000)
compare(values, "20 half closed, 30 closed")
tap.same((int(values["tcp.close_wait"]), int(values["tcp.fin_wait2"]), int(values["tcp.time_wait"])), (20, 20, 30), "as they are")
tap.ok(values["ending.time_wait"] >= 30, "TIME_WAIT is a total, too", values["ending.time_wait"])

# UDP, Unix, packet, netlink
more = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for i in range(7)]
for i, s in enumerate(more):
    s.bind(("127.0.0.1", 30000 + i % 4)) if i < 4 else s.connect(("127.0.0.1", 30000))
for i in range(3):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.bind(f"\0qmem-{os.getpid()}-{i}")
    s.listen()
    more.append(s)
more += [*socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM), *socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)]
more += [socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) for i in range(3)]
for s in more[-3:]:
    s.bind((0, 0))
try:
    more.append(socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0))
    packets = 1
except PermissionError:
    packets = 0
values = ticks.tick(2000)
unix = [line.split() for line in tap.read("/proc/net/unix").splitlines()[1:]]
tap.same((values["unix.stream_listen"], values["unix.dgram"], values["unix.seqpacket"]),
         (sum(line[4] == "0001" and line[3] == "00010000" for line in unix), sum(line[4] == "0002" for line in unix),
          sum(line[4] == "0005" for line in unix)), "Unix sockets by type are those of /proc/net/unix")
tap.same(values["unix.stream_listen"], 3, "three of them listen")
tap.same(int(values["sockets.packet"]), packets, "packet sockets")
tap.same(int(values["sockets.netlink"]), len(tap.read("/proc/net/netlink").splitlines()) - 1, "netlink sockets are those of /proc/net/netlink")
if values.get("more.udp_connected") is None:
    tap.skip("UDP by state", "no CONFIG_INET_UDP_DIAG")
else:
    tap.same((values["more.udp_connected"], values["more.udp_unconnected"]), (3, 4), "UDP by state")

# what a UDP server does not read
more[0].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
before = values.get("lost.packets[30000]", 0)
for i in range(300):
    more[4].send(b"x" * 500)
values = ticks.tick(3000)
drops = next(int(line.split()[-1]) for line in tap.read("/proc/net/udp").splitlines()[1:] if line.split()[1].endswith(":7530"))
if "lost.packets[30000]" in values:
    tap.same(int(values["lost.packets[30000]"]), drops, "packets lost by port are those of /proc/net/udp")
    tap.ok(drops > 100 and values["unread.bytes[30000]"] > 0, "and they are many", drops, values)
else:
    tap.skip("packets lost by port", "no CONFIG_INET_UDP_DIAG")

# a program that accepts nothing
lazy = listen(socket.AF_INET, FIRST + 600, 4)
waiting = []
for i in range(5):
    s = socket.socket()
    s.setblocking(False)
    s.connect_ex(lazy.getsockname())
    waiting.append(s)
queued = tap.wait_for(lambda: next((line for line in of_ss("-tl") if line[3].endswith(f":{FIRST + 600}") and line[1] == "5"), None)
                      if shutil.which("ss") else True)
for later in range(4, 9):
    values = ticks.tick(1000 * later)
tap.same((values[f"port.queue[{FIRST + 600}]"], values[f"port.backlog[{FIRST + 600}]"]), (5, 4), "a queue, and its backlog, of a port that comes to the top")
event = next((e for e in ticks.events if "listen_queue" in e), "")
tap.ok(re.search(rf"port {FIRST + 600} does not accept its connections: 5 wait, of a backlog of 4.*user (root|0)\b", event), "its event names port and user",
       ticks.events)
mine = tap.read("/proc/self/cgroup").splitlines()
v2 = next((line[3:] for line in mine if line.startswith("0::")), "/")
if v2 == "/" or not root:
    tap.skip("and its cgroup", "we are in none of cgroup v2")
else:
    tap.ok(f"cgroup {v2}" in event, "and its cgroup", event, v2)
tap.ok(not any(f"port {FIRST} " in e for e in ticks.events), "others have none", ticks.events)
while True:
    lazy.setblocking(False)
    try:
        more.append(lazy.accept()[0])
    except BlockingIOError:
        break
for later in range(50, 52):
    ticks.tick(1000 * later)
tap.ok(any("accepts its connections again" in e for e in ticks.events), "it is over when they are accepted", ticks.events)
ticks.end()


# ---- other namespaces ----


there = f"sockstat.Namespace=pid:{os.getpid()}"
if not root:
    tap.skip("our namespace, from another one", "needs root")
else:
    ticks = Ticks(there, "sockstat.DumpBudget=1s", wrapper=["unshare", "-n"])
    tap.same(int(ticks.tick()["tcp.listen"] or 0), LISTENERS + 1, "our namespace, from another one: setns()")
    ticks.end()
    if shutil.which("setpriv"):
        ticks = Ticks(there, "sockstat.DumpBudget=1s", wrapper=["unshare", "-n", "setpriv", "--bounding-set", "-sys_admin"])
        values = ticks.tick()
        tap.ok(values["tcp.listen"] is None and values["sockets.tcp"] is not None, "without CAP_SYS_ADMIN it has totals only", values)
        notes = [ticks.state() for later in (1, 2, 3) if ticks.tick(1000 * later)]
        tap.ok(len(notes) == 3 and all("CAP_SYS_ADMIN" in note for note in notes), "and says why, as long as it is so", notes)
        ticks.end()
    else:
        tap.skip("without CAP_SYS_ADMIN it has totals only", "no setpriv")
ticks = Ticks(f"sockstat.Namespace=pid:{os.getpid()}", "sockstat.DumpBudget=1s")
tap.same(int(ticks.tick()["tcp.listen"]), LISTENERS + 1, "a namespace by a process in it")
ticks.end()
ticks = Ticks("sockstat.Namespace=all", "sockstat.TopNamespaces=1000")
ticks.tick()
values = ticks.tick(1000)
stats = re.findall(r"^(TCP6?|UDP6?): inuse (\d+)", tap.read("/proc/net/sockstat") + tap.read("/proc/net/sockstat6") * six, re.M)
ours = tuple(sum(int(n) for name, n in stats if name.startswith(kind)) for kind in ("TCP", "UDP"))
spaces = {n[14:-1]: (int(v), int(values[f"namespace.udp[{n[14:-1]}]"])) for n, v in values.items() if n.startswith("namespace.tcp[")}
tap.ok(ours in spaces.values(), "all of them: ours is among them, with its sockets", ours, spaces)
ticks.end()

# by a name, as ip-netns(8) gives it, and by a process that ends
named = ["unshare", "-m", "sh", "-c", "mkdir -p /run/netns && mount -t tmpfs none /run/netns && : >/run/netns/qmem-test &&"
         f' mount --bind /proc/{os.getpid()}/ns/net /run/netns/qmem-test && exec "$0" "$@"']
if not root or subprocess.run([*named, "true"], check=False, capture_output=True).returncode:
    tap.skip("a namespace by its name", "nothing may be mounted")
else:
    ticks = Ticks("sockstat.Namespace=name:qmem-test", "sockstat.DumpBudget=1s", wrapper=named)
    ticks.tick()
    tap.same(int(ticks.tick(1000)["tcp.listen"] or 0), LISTENERS + 1, "a namespace by its name")
    ticks.end()
guest = tap.start(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
ticks = Ticks(f"sockstat.Namespace=pid:{guest.pid}", "sockstat.DumpBudget=1s")
tap.same(int(ticks.tick()["tcp.listen"] or 0), LISTENERS + 1, "a namespace by a process of ours")
guest.stdin.close()
guest.wait()
tap.ok("sockets.tcp" not in ticks.tick(1000), "when that has ended it has none")
tap.ok(f"there is no process {guest.pid} now" in ticks.state(), "and says so", ticks.state())
ticks.end()

# memory of sockets by cgroup, of v2
own = next((path for path in (f"{mount}{v2}/memory.stat" for mount in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified")) if os.path.exists(path)), None)


def sock():
    return int(re.search(r"(?m)^sock (\d+)$", tap.read(own))[1])


if v2 == "/" or not own or "\nsock " not in tap.read(own):
    tap.skip("memory of sockets by cgroup", "we are in none of cgroup v2 that counts memory")
else:
    server = listen(socket.AF_INET, FIRST + 700)
    full = pair(server)
    full[0].setblocking(False)
    try:
        while True:
            full[0].send(bytes(65536))
    except BlockingIOError:
        pass
    ticks = Ticks("sockstat.TopCgroups=100", "sockstat.Namespace=self")
    for later in range(10):
        before, values, after = sock(), ticks.tick(40000 * later), sock()
        value = values.get(f"cgroup.sock[{v2}]")
        if value is not None and min(before, after) <= value <= max(before, after):
            break
    tap.ok(value and min(before, after) <= value <= max(before, after), "memory of sockets by cgroup is that of memory.stat", before, value, after)
    ticks.end()
tap.done()
