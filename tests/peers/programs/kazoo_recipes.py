"""Kazoo's client and recipes against a server. Prints one JSON line per check. Usage: kazoo_recipes.py host:port"""

import json
import sys
import threading

from kazoo.client import KazooClient
from kazoo.exceptions import (
    BadVersionError,
    InvalidACLError,
    NoAuthError,
    NodeExistsError,
    NoNodeError,
    NotEmptyError,
    RolledBackError,
    RuntimeInconsistency,
)
from kazoo.recipe.watchers import PatientChildrenWatch
from kazoo.security import make_acl, make_digest_acl

HOSTS = sys.argv[1]
TIMEOUT_S = 20


def client(**arguments):
    opened = KazooClient(hosts=HOSTS, timeout=10, **arguments)
    opened.start(timeout=TIMEOUT_S)
    return opened


def expect(actual, expected):
    if actual != expected:
        raise AssertionError("expected %r, got %r" % (expected, actual))


def raises(error, action):
    try:
        action()
    except error:
        return
    raise AssertionError("expected %s" % error.__name__)


def wait(event):
    if not event.wait(TIMEOUT_S):
        raise AssertionError("nothing happened within %d s" % TIMEOUT_S)


def check_nodes(zk, other):
    expect(zk.create("/k", b"one"), "/k")
    expect(zk.create("/k/s-", b"", sequence=True), "/k/s-0000000000")
    expect(zk.create("/k/e", b"x", ephemeral=True), "/k/e")
    expect(zk.create("/k/a/b/c", b"deep", makepath=True), "/k/a/b/c")
    data, stat = zk.get("/k")
    expect(data, b"one")
    expect((stat.version, stat.children_count, stat.data_length), (0, 3, 3))
    expect(zk.exists("/k/e").ephemeralOwner, zk.client_id[0])
    expect(zk.set("/k", b"two", version=0).version, 1)
    raises(BadVersionError, lambda: zk.set("/k", b"three", version=0))
    raises(NodeExistsError, lambda: zk.create("/k"))
    raises(NoNodeError, lambda: zk.get("/absent"))
    raises(NotEmptyError, lambda: zk.delete("/k"))
    expect(zk.exists("/absent"), None)
    expect(sorted(zk.get_children("/k")), ["a", "e", "s-0000000000"])
    children, stat = zk.get_children("/k", include_data=True)
    expect((len(children), stat.children_version), (3, 3))
    expect(zk.sync("/k"), "/k")
    path, stat = zk.create("/k/two", b"2", include_data=True)
    expect((path, stat.czxid == stat.mzxid, stat.data_length), ("/k/two", True, 1))
    zk.delete("/k", recursive=True)
    expect(zk.exists("/k"), None)


def check_watches(zk, other):
    seen, fired = [], threading.Event()

    def watcher(event):
        seen.append((event.type, event.path))
        fired.set()

    steps = [
        (lambda: zk.exists("/w", watch=watcher), lambda: other.create("/w", b"1"), ("CREATED", "/w")),
        (lambda: zk.get("/w", watch=watcher), lambda: other.set("/w", b"2"), ("CHANGED", "/w")),
        (lambda: zk.get_children("/w", watch=watcher), lambda: other.create("/w/c"), ("CHILD", "/w")),
        (lambda: zk.get("/w/c", watch=watcher), lambda: other.delete("/w/c"), ("DELETED", "/w/c")),
    ]
    for arm, change, expected in steps:
        fired.clear()
        arm()
        change()
        wait(fired)
        expect(seen[-1], expected)
    expect(len(seen), 4)


def check_transactions(zk, other):
    request = zk.transaction()
    request.create("/t", b"1")
    request.create("/t/s-", b"", sequence=True)
    request.set_data("/t", b"2", version=0)
    request.check("/t", version=1)
    results = request.commit()
    expect(results[:2], ["/t", "/t/s-0000000000"])
    expect((results[2].version, results[3]), (1, True))
    request = zk.transaction()
    request.create("/t/kept")
    request.check("/t", version=9)
    request.delete("/t")
    results = request.commit()
    expect([type(one) for one in results], [RolledBackError, BadVersionError, RuntimeInconsistency])
    expect(zk.exists("/t/kept"), None)


def check_access_control(zk, other):
    zk.add_auth("digest", "kazoo:secret")
    zk.create("/acl", b"mine", acl=[make_digest_acl("kazoo", "secret", all=True)])
    raises(NoAuthError, lambda: other.get("/acl"))
    other.add_auth("digest", "kazoo:secret")
    expect(other.get("/acl")[0], b"mine")
    acls, stat = zk.get_acls("/acl")
    expect((acls[0].id.scheme, acls[0].perms, stat.acl_version), ("digest", 31, 0))
    expect(zk.set_acls("/acl", [make_acl("world", "anyone", read=True)], version=0).acl_version, 1)
    raises(NoAuthError, lambda: zk.set("/acl", b"x"))
    raises(InvalidACLError, lambda: zk.create("/bad", acl=[make_acl("nonsense", "x", all=True)]))


def check_lock(zk, other):
    lock, rival = zk.Lock("/lock", "first"), other.Lock("/lock", "second")
    expect(lock.acquire(), True)
    expect(rival.acquire(blocking=False), False)
    got = threading.Event()
    thread = threading.Thread(target=lambda: rival.acquire(timeout=TIMEOUT_S) and got.set())
    thread.start()
    while lock.contenders() != ["first", "second"]:
        continue
    lock.release()
    wait(got)
    thread.join()
    expect(lock.contenders(), ["second"])
    rival.release()
    semaphores = [one.Semaphore("/semaphore", max_leases=2) for one in (zk, other)]
    expect([one.acquire(blocking=False) for one in semaphores], [True, True])
    expect(zk.Semaphore("/semaphore", max_leases=2).acquire(blocking=False), False)
    for one in semaphores:
        one.release()


def check_election(zk, other):
    order, leads, release = [], threading.Event(), threading.Event()

    def lead_first():
        order.append("first")
        leads.set()
        wait(release)

    first = threading.Thread(target=lambda: zk.Election("/election", "first").run(lead_first))
    first.start()
    wait(leads)
    second = threading.Thread(target=lambda: other.Election("/election", "second").run(lambda: order.append("second")))
    second.start()
    while len(zk.Election("/election").contenders()) < 2:
        continue
    release.set()
    first.join(TIMEOUT_S)
    second.join(TIMEOUT_S)
    expect(order, ["first", "second"])


def check_party(zk, other):
    one, two = zk.Party("/party", "one"), other.ShallowParty("/party-2", "two")
    one.join()
    expect((len(one), sorted(one)), (1, ["one"]))
    two.join()
    expect(sorted(other.ShallowParty("/party-2", "x")), ["two"])
    one.leave()
    expect(len(one), 0)


def check_queues(zk, other):
    queue = zk.Queue("/queue")
    for number in range(5):
        queue.put(b"%d" % number)
    queue.put(b"urgent", priority=1)
    taken = [other.Queue("/queue").get() for _ in range(6)]
    expect(taken, [b"urgent", b"0", b"1", b"2", b"3", b"4"])
    expect(queue.get(), None)
    locking = zk.LockingQueue("/locking-queue")
    locking.put_all([b"a", b"b"])
    expect((locking.get(TIMEOUT_S), locking.consume(), len(locking)), (b"a", True, 1))


def check_counter(zk, other):
    def add(one):
        counter = one.Counter("/counter")
        for _ in range(25):
            counter += 1

    threads = [threading.Thread(target=add, args=(one,)) for one in (zk, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expect(zk.Counter("/counter").value, 50)


def check_barrier(zk, other):
    barrier = zk.Barrier("/barrier")
    barrier.create()
    expect(barrier.wait(0.05), False)
    other.Barrier("/barrier").remove()
    expect(barrier.wait(TIMEOUT_S), True)
    passed = []

    def pass_through(one):
        double = one.DoubleBarrier("/double", 2)
        double.enter()
        passed.append(1)
        double.leave()

    threads = [threading.Thread(target=pass_through, args=(one,)) for one in (zk, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT_S)
    expect(len(passed), 2)


def check_watchers(zk, other):
    values, children, full = [], [], threading.Event()
    zk.create("/observed", b"0")

    @zk.DataWatch("/observed")
    def on_data(data, stat, event=None):
        values.append(data)
        if data == b"3":
            full.set()

    last = threading.Event()

    @zk.ChildrenWatch("/observed")
    def on_children(names):
        children.append(sorted(names))
        if len(names) == 2:
            last.set()

    for number in range(1, 4):
        other.set("/observed", b"%d" % number)
    wait(full)
    expect((values[0], values[-1]), (b"0", b"3"))
    other.create("/observed/a")
    other.create("/observed/b")
    wait(last)
    expect((children[0], children[-1]), ([], ["a", "b"]))
    names, _ = PatientChildrenWatch(zk, "/observed", time_boundary=0.05).start().get(timeout=TIMEOUT_S)
    expect(sorted(names), ["a", "b"])


def check_session(zk, other):
    brief = client()
    brief.create("/brief", b"", ephemeral=True)
    gone = threading.Event()
    zk.exists("/brief", watch=lambda event: gone.set())
    brief.stop()
    brief.close()
    wait(gone)
    expect(zk.exists("/brief"), None)
    resumed = client()
    resumed.create("/resumed", b"", ephemeral=True)
    session = resumed.client_id
    taken_over = client(client_id=session)
    expect(taken_over.client_id[0], session[0])
    expect(taken_over.exists("/resumed").ephemeralOwner, session[0])
    taken_over.stop()
    expect(zk.exists("/resumed"), None)


def check_four_letter_words(zk, other):
    expect(zk.command(b"ruok"), "imok")
    expect("Mode: standalone" in zk.command(b"stat"), True)
    expect(len(zk.server_version()), 3)


def main():
    zk, other = client(), client()
    checks = [
        check_nodes,
        check_watches,
        check_transactions,
        check_access_control,
        check_lock,
        check_election,
        check_party,
        check_queues,
        check_counter,
        check_barrier,
        check_watchers,
        check_session,
        check_four_letter_words,
    ]
    for check in checks:
        check(zk, other)
        print(json.dumps({"check": check.__name__[len("check_"):], "ok": True}), flush=True)
    zk.stop()
    other.stop()


main()
