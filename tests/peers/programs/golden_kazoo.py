"""Does a few operations with kazoo, waiting for a line on stdin before each one. Usage: golden_kazoo.py host:port"""

import sys

from kazoo.client import KazooClient


def say(line):
    print(line, flush=True)
    sys.stdin.readline()


def step(name, action):
    say("STEP " + name)
    action()
    say("DONE " + name)


def main():
    client = KazooClient(hosts=sys.argv[1], timeout=10)
    step("connect", client.start)
    step("create", lambda: client.create("/kazoo", b"data"))
    step("create ephemeral sequential", lambda: client.create("/kazoo/e-", b"", ephemeral=True, sequence=True))
    step("getData with watch", lambda: client.get("/kazoo", watch=lambda event: None))
    step("setData", lambda: client.set("/kazoo", b"other"))
    step("getChildren", lambda: client.get_children("/kazoo"))
    step("getChildren2", lambda: client.get_children("/kazoo", include_data=True))
    step("exists", lambda: client.exists("/kazoo"))
    step("exists of an absent node", lambda: client.exists("/kazoo/absent"))

    def transaction():
        request = client.transaction()
        request.create("/kazoo/t", b"1")
        request.set_data("/kazoo/t", b"2")
        request.check("/kazoo/t", 1)
        request.delete("/kazoo/t", 1)
        request.commit()

    step("transaction", transaction)
    step("auth", lambda: client.add_auth("digest", "kazoo:secret"))
    step("sync", lambda: client.sync("/kazoo"))
    step("close", client.stop)
    say("END")


main()
