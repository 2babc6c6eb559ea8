"""Does with kazoo's locks what it is told on stdin, one line each, and answers with one line. Usage: kazoo_partner.py host:port"""

import sys

from kazoo.client import KazooClient
from kazoo.exceptions import LockTimeout

zk = KazooClient(hosts=sys.argv[1], timeout=10)
zk.start(timeout=20)
locks = {}


def lock(path, timeout_ms, *patterns):
    made = locks.setdefault(path, zk.Lock(path, "kazoo", extra_lock_patterns=patterns))
    try:
        return made.acquire(timeout=int(timeout_ms) / 1000)
    except LockTimeout:
        return False


def try_lock(path, *patterns):
    return locks.setdefault(path, zk.Lock(path, "kazoo", extra_lock_patterns=patterns)).acquire(blocking=False)


def unlock(path):
    return locks[path].release()


def contenders(path, *patterns):
    return ",".join(zk.Lock(path, extra_lock_patterns=patterns).contenders())


COMMANDS = {"lock": lock, "try": try_lock, "unlock": unlock, "contenders": contenders}

print("ready", flush=True)
for line in sys.stdin:
    name, *words = line.split()
    try:
        print(COMMANDS[name](*words), flush=True)
    except Exception as error:
        print("error %r" % error, flush=True)
