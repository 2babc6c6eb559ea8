import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.api.transaction.CuratorTransactionResult;
import org.apache.curator.framework.recipes.atomic.AtomicValue;
import org.apache.curator.framework.recipes.atomic.DistributedAtomicLong;
import org.apache.curator.framework.recipes.barriers.DistributedBarrier;
import org.apache.curator.framework.recipes.barriers.DistributedDoubleBarrier;
import org.apache.curator.framework.recipes.cache.CuratorCache;
import org.apache.curator.framework.recipes.cache.CuratorCacheListener;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.leader.LeaderSelector;
import org.apache.curator.framework.recipes.leader.LeaderSelectorListenerAdapter;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.locks.InterProcessReadWriteLock;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreV2;
import org.apache.curator.framework.recipes.locks.Lease;
import org.apache.curator.framework.recipes.nodes.GroupMember;
import org.apache.curator.framework.recipes.nodes.PersistentNode;
import org.apache.curator.framework.recipes.nodes.PersistentTtlNode;
import org.apache.curator.framework.recipes.queue.SimpleDistributedQueue;
import org.apache.curator.framework.recipes.shared.SharedCount;
import org.apache.curator.framework.recipes.shared.SharedCountListener;
import org.apache.curator.framework.recipes.shared.SharedCountReader;
import org.apache.curator.framework.recipes.watch.PersistentWatcher;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.curator.retry.RetryOneTime;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.data.Stat;

/** Curator's client and recipes, two clients on one server. Prints one JSON line per check. Usage: CuratorRecipes host:port */
public final class CuratorRecipes {
    private interface Check {
        void run() throws Exception;
    }

    private static final int TIMEOUT_S = 20;
    private static final ExecutorService THREADS = Executors.newCachedThreadPool();
    private static CuratorFramework one;
    private static CuratorFramework two;

    public static void main(String[] arguments) throws Exception {
        one = client(arguments[0]);
        two = client(arguments[0]);
        check("nodes", CuratorRecipes::nodes);
        check("transactions", CuratorRecipes::transactions);
        check("mutex", CuratorRecipes::mutex);
        check("readWriteLock", CuratorRecipes::readWriteLock);
        check("semaphore", CuratorRecipes::semaphore);
        check("leaderLatch", CuratorRecipes::leaderLatch);
        check("leaderSelector", CuratorRecipes::leaderSelector);
        check("queue", CuratorRecipes::queue);
        check("cache", CuratorRecipes::cache);
        check("persistentNode", CuratorRecipes::persistentNode);
        check("persistentTtlNode", CuratorRecipes::persistentTtlNode);
        check("persistentWatcher", CuratorRecipes::persistentWatcher);
        check("barriers", CuratorRecipes::barriers);
        check("sharedCount", CuratorRecipes::sharedCount);
        check("atomicLong", CuratorRecipes::atomicLong);
        check("groupMember", CuratorRecipes::groupMember);
        check("expiry", CuratorRecipes::expiry);
        one.close();
        two.close();
        System.exit(0);
    }

    private static void nodes() throws Exception {
        expect(one.create().creatingParentsIfNeeded().forPath("/c/a/b", bytes("x")), "/c/a/b");
        Stat stat = new Stat();
        expect(text(one.getData().storingStatIn(stat).forPath("/c/a/b")), "x");
        expect(stat.getVersion(), 0);
        String protectedPath = one.create().withProtection().withMode(CreateMode.EPHEMERAL_SEQUENTIAL).forPath("/c/p-");
        expect(protectedPath.matches("/c/_c_.*-p-\\d{10}"), true);
        one.create().orSetData().forPath("/c/a/b", bytes("y"));
        expect(text(two.getData().forPath("/c/a/b")), "y");
        expect(one.setData().withVersion(1).forPath("/c/a/b", bytes("z")).getVersion(), 2);
        one.create().creatingParentContainersIfNeeded().forPath("/containers/x");
        expect(one.checkExists().forPath("/containers").getEphemeralOwner(), 0L);
        one.create().compressed().forPath("/c/compressed", bytes("long ".repeat(200)));
        expect(text(two.getData().decompressed().forPath("/c/compressed")), "long ".repeat(200));
        CountDownLatch done = new CountDownLatch(1);
        one.sync().inBackground((client, event) -> done.countDown()).forPath("/c");
        await(done);
        one.delete().guaranteed().deletingChildrenIfNeeded().forPath("/c");
        expect(one.checkExists().forPath("/c"), null);
        CuratorFramework below = one.usingNamespace("space");
        below.create().forPath("/inside");
        expect(one.checkExists().forPath("/space/inside") != null, true);
    }

    private static void transactions() throws Exception {
        List<CuratorTransactionResult> results = one.transaction().forOperations(
            one.transactionOp().create().forPath("/t", bytes("1")),
            one.transactionOp().setData().withVersion(0).forPath("/t", bytes("2")),
            one.transactionOp().check().withVersion(1).forPath("/t"),
            one.transactionOp().create().withMode(CreateMode.PERSISTENT_SEQUENTIAL).forPath("/t/s-"));
        expect(results.get(3).getResultPath(), "/t/s-0000000000");
        expect(results.get(1).getResultStat().getVersion(), 1);
        try {
            one.transaction().forOperations(
                one.transactionOp().create().forPath("/t/kept"),
                one.transactionOp().check().withVersion(9).forPath("/t"));
            throw new AssertionError("a transaction that must fail succeeded");
        } catch (KeeperException.BadVersionException expected) {
            expect(one.checkExists().forPath("/t/kept"), null);
        }
    }

    private static void mutex() throws Exception {
        InterProcessMutex first = new InterProcessMutex(one, "/mutex");
        InterProcessMutex second = new InterProcessMutex(two, "/mutex");
        first.acquire();
        first.acquire();
        expect(second.acquire(50, TimeUnit.MILLISECONDS), false);
        Future<Boolean> got = THREADS.submit(() -> {
            boolean acquired = second.acquire(TIMEOUT_S, TimeUnit.SECONDS);
            second.release();
            return acquired;
        });
        first.release();
        first.release();
        expect(got.get(TIMEOUT_S, TimeUnit.SECONDS), true);
    }

    private static void readWriteLock() throws Exception {
        InterProcessReadWriteLock first = new InterProcessReadWriteLock(one, "/rw");
        InterProcessReadWriteLock second = new InterProcessReadWriteLock(two, "/rw");
        first.readLock().acquire();
        expect(second.readLock().acquire(TIMEOUT_S, TimeUnit.SECONDS), true);
        expect(first.writeLock().acquire(50, TimeUnit.MILLISECONDS), false);
        first.readLock().release();
        second.readLock().release();
        expect(first.writeLock().acquire(TIMEOUT_S, TimeUnit.SECONDS), true);
        expect(second.readLock().acquire(50, TimeUnit.MILLISECONDS), false);
        first.writeLock().release();
    }

    private static void semaphore() throws Exception {
        InterProcessSemaphoreV2 first = new InterProcessSemaphoreV2(one, "/semaphore", 2);
        InterProcessSemaphoreV2 second = new InterProcessSemaphoreV2(two, "/semaphore", 2);
        Collection<Lease> leases = first.acquire(2);
        expect(second.acquire(50, TimeUnit.MILLISECONDS), null);
        first.returnAll(leases);
        Lease lease = second.acquire(TIMEOUT_S, TimeUnit.SECONDS);
        expect(lease != null, true);
        second.returnLease(lease);
    }

    private static void leaderLatch() throws Exception {
        LeaderLatch first = new LeaderLatch(one, "/latch", "first");
        LeaderLatch second = new LeaderLatch(two, "/latch", "second");
        first.start();
        expect(first.await(TIMEOUT_S, TimeUnit.SECONDS), true);
        second.start();
        while (second.getParticipants().size() < 2) Thread.onSpinWait();
        expect(second.getLeader().getId(), "first");
        expect(second.hasLeadership(), false);
        first.close();
        expect(second.await(TIMEOUT_S, TimeUnit.SECONDS), true);
        second.close();
    }

    private static void leaderSelector() throws Exception {
        BlockingQueue<String> leaders = new LinkedBlockingQueue<>();
        List<LeaderSelector> selectors = new ArrayList<>();
        for (CuratorFramework client : List.of(one, two)) {
            LeaderSelector selector = new LeaderSelector(client, "/selector", new LeaderSelectorListenerAdapter() {
                @Override
                public void takeLeadership(CuratorFramework leader) {
                    leaders.add(leader == one ? "one" : "two");
                }
            });
            selectors.add(selector);
            selector.autoRequeue();
            selector.start();
        }
        List<String> seen = new ArrayList<>();
        while (!(seen.contains("one") && seen.contains("two"))) seen.add(leaders.poll(TIMEOUT_S, TimeUnit.SECONDS));
        for (LeaderSelector selector : selectors) selector.close();
    }

    private static void queue() throws Exception {
        SimpleDistributedQueue producer = new SimpleDistributedQueue(one, "/queue");
        SimpleDistributedQueue consumer = new SimpleDistributedQueue(two, "/queue");
        Future<byte[]> waiting = THREADS.submit(() -> consumer.poll(TIMEOUT_S, TimeUnit.SECONDS));
        producer.offer(bytes("0"));
        expect(text(waiting.get(TIMEOUT_S, TimeUnit.SECONDS)), "0");
        for (int i = 1; i < 4; i++) producer.offer(bytes("" + i));
        expect(text(consumer.peek()), "1");
        for (int i = 1; i < 4; i++) expect(text(consumer.take()), "" + i);
        expect(consumer.poll(), null);
    }

    private static void cache() throws Exception {
        BlockingQueue<String> events = new LinkedBlockingQueue<>();
        two.create().creatingParentsIfNeeded().forPath("/cache/old", bytes("1"));
        CuratorCache cache = CuratorCache.build(one, "/cache");
        cache.listenable().addListener(CuratorCacheListener.builder()
            .forCreates(node -> events.add("created " + node.getPath()))
            .forChanges((before, after) -> events.add("changed " + after.getPath() + " " + text(after.getData())))
            .forDeletes(node -> events.add("deleted " + node.getPath()))
            .forInitialized(() -> events.add("initialized"))
            .build());
        cache.start();
        expectAll(events, "created /cache", "created /cache/old", "initialized");
        two.create().forPath("/cache/new", bytes("a"));
        expectAll(events, "created /cache/new");
        two.setData().forPath("/cache/new", bytes("b"));
        expectAll(events, "changed /cache/new b");
        two.delete().forPath("/cache/new");
        expectAll(events, "deleted /cache/new");
        expect(cache.get("/cache/old").isPresent(), true);
        expect(cache.stream().count(), 2L);
        cache.close();
    }

    private static void persistentNode() throws Exception {
        PersistentNode node = new PersistentNode(one, CreateMode.EPHEMERAL, false, "/stays/here", bytes("1"));
        node.start();
        expect(node.waitForInitialCreate(TIMEOUT_S, TimeUnit.SECONDS), true);
        long before = two.checkExists().forPath("/stays/here").getCzxid();
        two.delete().forPath("/stays/here");
        Stat stat = null;
        while (stat == null || stat.getCzxid() == before) stat = two.checkExists().forPath("/stays/here");
        node.close();
        expect(two.checkExists().forPath("/stays/here"), null);
    }

    private static void persistentTtlNode() throws Exception {
        PersistentTtlNode node = new PersistentTtlNode(one, "/ttl", 600_000, bytes("1"));
        node.start();
        expect(node.waitForInitialCreate(TIMEOUT_S, TimeUnit.SECONDS), true);
        expect(text(two.getData().forPath("/ttl")), "1");
        node.close();
        one.create().withTtl(600_000).withMode(CreateMode.PERSISTENT_SEQUENTIAL_WITH_TTL).forPath("/ttl-", bytes("2"));
    }

    private static void persistentWatcher() throws Exception {
        BlockingQueue<String> events = new LinkedBlockingQueue<>();
        PersistentWatcher recursive = new PersistentWatcher(one, "/watched", true);
        CountDownLatch armed = new CountDownLatch(1);
        recursive.getListenable().addListener(event -> events.add(event.getType() + " " + event.getPath()));
        recursive.getResetListenable().addListener(armed::countDown);
        recursive.start();
        await(armed);
        two.create().creatingParentsIfNeeded().forPath("/watched/a/b");
        two.setData().forPath("/watched/a/b", bytes("x"));
        two.delete().forPath("/watched/a/b");
        expectAll(events, "NodeCreated /watched", "NodeCreated /watched/a", "NodeCreated /watched/a/b",
            "NodeDataChanged /watched/a/b", "NodeDeleted /watched/a/b");
        recursive.close();
    }

    private static void barriers() throws Exception {
        DistributedBarrier barrier = new DistributedBarrier(one, "/barrier");
        barrier.setBarrier();
        Future<Boolean> waiting = THREADS.submit(() ->
            new DistributedBarrier(two, "/barrier").waitOnBarrier(TIMEOUT_S, TimeUnit.SECONDS));
        barrier.removeBarrier();
        expect(waiting.get(TIMEOUT_S, TimeUnit.SECONDS), true);
        List<Future<Boolean>> passing = new ArrayList<>();
        for (CuratorFramework client : List.of(one, two)) {
            passing.add(THREADS.submit(() -> {
                DistributedDoubleBarrier both = new DistributedDoubleBarrier(client, "/double", 2);
                return both.enter(TIMEOUT_S, TimeUnit.SECONDS) && both.leave(TIMEOUT_S, TimeUnit.SECONDS);
            }));
        }
        for (Future<Boolean> passed : passing) expect(passed.get(2 * TIMEOUT_S, TimeUnit.SECONDS), true);
    }

    private static void sharedCount() throws Exception {
        SharedCount first = new SharedCount(one, "/count", 5);
        SharedCount second = new SharedCount(two, "/count", 5);
        CountDownLatch changed = new CountDownLatch(1);
        first.start();
        second.start();
        second.addListener(new SharedCountListener() {
            @Override
            public void countHasChanged(SharedCountReader count, int value) {
                if (value == 9) changed.countDown();
            }

            @Override
            public void stateChanged(CuratorFramework client, ConnectionState state) { }
        });
        expect(first.trySetCount(first.getVersionedValue(), 9), true);
        await(changed);
        expect(second.getCount(), 9);
        first.close();
        second.close();
    }

    private static void atomicLong() throws Exception {
        List<Future<?>> adding = new ArrayList<>();
        for (CuratorFramework client : List.of(one, two)) {
            adding.add(THREADS.submit(() -> {
                DistributedAtomicLong counter = new DistributedAtomicLong(client, "/atomic", new RetryOneTime(1));
                int added = 0;
                while (added < 25) {
                    AtomicValue<Long> value = counter.increment();
                    if (value.succeeded()) added++;
                }
                return null;
            }));
        }
        for (Future<?> done : adding) done.get(TIMEOUT_S, TimeUnit.SECONDS);
        expect(new DistributedAtomicLong(one, "/atomic", new RetryOneTime(1)).get().postValue(), 50L);
    }

    private static void groupMember() throws Exception {
        GroupMember first = new GroupMember(one, "/group", "first", bytes("1"));
        GroupMember second = new GroupMember(two, "/group", "second", bytes("2"));
        first.start();
        second.start();
        while (first.getCurrentMembers().size() < 2) Thread.onSpinWait();
        expect(text(first.getCurrentMembers().get("second")), "2");
        second.close();
        while (first.getCurrentMembers().size() > 1) Thread.onSpinWait();
        first.close();
    }

    /** A session that ends takes its ephemerals along, and others are told. */
    private static void expiry() throws Exception {
        CuratorFramework brief = client(one.getZookeeperClient().getCurrentConnectionString());
        brief.create().withMode(CreateMode.EPHEMERAL).forPath("/brief");
        CountDownLatch gone = new CountDownLatch(1);
        expect(one.checkExists().usingWatcher((org.apache.zookeeper.Watcher) event -> gone.countDown()).forPath("/brief") != null, true);
        brief.close();
        await(gone);
        expect(one.checkExists().forPath("/brief"), null);
    }

    private static CuratorFramework client(String connectString) throws Exception {
        CuratorFramework client = CuratorFrameworkFactory.newClient(connectString, 10_000, 10_000, new RetryOneTime(100));
        client.start();
        if (!client.blockUntilConnected(TIMEOUT_S, TimeUnit.SECONDS)) throw new AssertionError("no connection");
        return client;
    }

    private static void check(String name, Check check) throws Exception {
        check.run();
        System.out.println("{\"check\": \"" + name + "\", \"ok\": true}");
    }

    private static void await(CountDownLatch latch) throws Exception {
        if (!latch.await(TIMEOUT_S, TimeUnit.SECONDS)) throw new AssertionError("nothing happened in time");
    }

    /** Takes as many events as are expected and compares them, in any order. */
    private static void expectAll(BlockingQueue<String> events, String... expected) throws Exception {
        List<String> seen = new ArrayList<>();
        while (seen.size() < expected.length) {
            String event = events.poll(TIMEOUT_S, TimeUnit.SECONDS);
            if (event == null) throw new AssertionError("expected " + Arrays.toString(expected) + ", got " + seen);
            seen.add(event);
        }
        List<String> sorted = new ArrayList<>(List.of(expected));
        Collections.sort(sorted);
        Collections.sort(seen);
        expect(seen, sorted);
    }

    private static void expect(Object actual, Object expected) {
        if (actual == null ? expected != null : !actual.equals(expected)) {
            throw new AssertionError("expected " + expected + ", got " + actual);
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
