# SPDX-License-Identifier: MIT
"""An initramfs: an archive of cpio's "newc" format (Documentation/driver-api/early-userspace/buffer-format.rst), written
here so that owners and modes in it are root's, whoever builds it."""

import os
import stat


class Image:
    def __init__(self):
        self.parts = []
        self.inode = 0
        self.seen = set()

    def _add(self, name, mode, data=b"", device=(0, 0)):
        self.inode += 1
        encoded = name.encode() + b"\0"
        fields = (self.inode, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(encoded), 0)
        head = b"070701" + b"".join(b"%08X" % field for field in fields) + encoded
        self.parts += [head, b"\0" * (-len(head) % 4), data, b"\0" * (-len(data) % 4)]

    def directory(self, name):
        top = os.path.dirname(name)
        if top:
            self.directory(top)
        if name not in self.seen:
            self.seen.add(name)
            self._add(name, stat.S_IFDIR | 0o755)

    def file(self, name, data, mode=0o644):
        top = os.path.dirname(name)
        if top:
            self.directory(top)
        self._add(name, stat.S_IFREG | mode, data)

    def device(self, name, major, minor, mode=0o600):
        self.directory(os.path.dirname(name))
        self._add(name, stat.S_IFCHR | mode, device=(major, minor))

    def write(self, path):
        self._add("TRAILER!!!", 0)
        with open(path, "wb") as f:
            f.write(b"".join(self.parts))
