"""Starts `meerkat test-server`, uses it with kazoo and controls it over HTTP, as docs/testing.md shows.
Prints one JSON line per check. Usage: test_server_kazoo.py node meerkat.js"""

import json
import queue
import subprocess
import sys
import urllib.error
import urllib.request

from kazoo.client import KazooClient, KazooState

TIMEOUT_S = 20

server = subprocess.Popen(
    [*sys.argv[1:], "test-server", "--members", "3"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
)
info = json.loads(server.stdout.readline())


def post(verb, **body):
    url = info["controlUrl"] + verb
    with urllib.request.urlopen(url, json.dumps(body).encode(), TIMEOUT_S) as answer:
        return json.load(answer)


def check(name):
    print(json.dumps({"check": name, "ok": True}), flush=True)


def reach(states, wanted):
    while states.get(timeout=TIMEOUT_S) != wanted:
        pass


zk = KazooClient(hosts=info["connectString"], timeout=10)
states = queue.Queue()
zk.add_listener(lambda state: states.put(state) and None)
zk.start(timeout=TIMEOUT_S)
zk.create("/mine", b"x", ephemeral=True)
reach(states, KazooState.CONNECTED)
check("connected")

post("/expire-session", session=hex(zk.client_id[0]))
reach(states, KazooState.LOST)
reach(states, KazooState.CONNECTED)
assert zk.exists("/mine") is None
check("expired")

zk.create("/acknowledged", b"x")
members = post("/ready")["members"]
leader = next(each["index"] for each in members if each["role"] == "leader")
post("/kill", member=leader)
post("/ready")
assert zk.retry(zk.get, "/acknowledged")[0] == b"x"
post("/restart", member=leader)
assert post("/ready")["members"][leader]["role"] == "follower"
check("failover")

zk.retry(zk.create, "/mine", b"x", ephemeral=True)
post("/advance-time", ms=120000)
assert zk.retry(zk.exists, "/mine") is not None
check("kept alive")

try:
    post("/kill", member=7)
except urllib.error.HTTPError as error:
    assert error.code == 409, error.code
    assert "there are members 0 to 2" in json.load(error)["error"]
    check("refused")

zk.stop()
server.stdin.close()
assert server.wait(TIMEOUT_S) == 0
check("ended")
