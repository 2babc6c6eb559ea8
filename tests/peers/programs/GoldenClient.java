import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.apache.zookeeper.AddWatchMode;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.Transaction;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooDefs.Perms;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.admin.ZooKeeperAdmin;
import org.apache.zookeeper.client.ZKClientConfig;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.Id;
import org.apache.zookeeper.data.Stat;

/**
 * Performs every operation of the Java client once, in a fixed order. Before each one it prints its name and waits for a
 * line on stdin, so that a recording proxy can file the frames under that name. Usage: GoldenClient host:port
 */
public final class GoldenClient {
    private interface Action {
        void run() throws Exception;
    }

    private static final BufferedReader STDIN = new BufferedReader(new InputStreamReader(System.in));
    private static String connectString;
    private static ZooKeeperAdmin zk;

    public static void main(String[] arguments) throws Exception {
        connectString = arguments[0];
        step("connect", () -> zk = connect());
        createAndDelete();
        readsAndWrites();
        accessControl();
        multi();
        watches();
        persistentWatches();
        reconnect();
        rest();
        step("closeSession", () -> zk.close());
        say("END");
        System.exit(0);
    }

    private static void createAndDelete() throws Exception {
        step("create persistent", () -> create("/golden", "data", CreateMode.PERSISTENT));
        step("create with null data", () -> zk.create("/golden/null", null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT));
        step("create with empty data", () -> create("/golden/empty", "", CreateMode.PERSISTENT));
        step("create with a name in Chinese", () -> create("/golden/\u732b\u9f2c", "\u00e9", CreateMode.PERSISTENT));
        step("create ephemeral", () -> create("/golden/ephemeral", "e", CreateMode.EPHEMERAL));
        step("create sequential", () -> create("/golden/s-", "s", CreateMode.PERSISTENT_SEQUENTIAL));
        step("create ephemeral sequential", () -> create("/golden/es-", "es", CreateMode.EPHEMERAL_SEQUENTIAL));
        step("create2", () -> zk.create("/golden/two", bytes("2"), Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT, new Stat()));
        step("createContainer", () ->
            zk.create("/golden/container", bytes("c"), Ids.OPEN_ACL_UNSAFE, CreateMode.CONTAINER, new Stat()));
        step("createTTL", () -> zk.create("/golden/ttl", bytes("t"), Ids.OPEN_ACL_UNSAFE,
            CreateMode.PERSISTENT_WITH_TTL, new Stat(), 3600_000L));
        step("createTTL sequential", () -> zk.create("/golden/ttl-", bytes("t"), Ids.OPEN_ACL_UNSAFE,
            CreateMode.PERSISTENT_SEQUENTIAL_WITH_TTL, new Stat(), 3600_000L));
        failing("create NODEEXISTS", () -> create("/golden", "again", CreateMode.PERSISTENT));
        failing("create NONODE", () -> create("/absent/child", "x", CreateMode.PERSISTENT));
        failing("create NOCHILDRENFOREPHEMERALS", () -> create("/golden/ephemeral/x", "x", CreateMode.PERSISTENT));
        step("create to delete", () -> create("/golden/doomed", "x", CreateMode.PERSISTENT));
        failing("delete BADVERSION", () -> zk.delete("/golden/doomed", 7));
        step("delete", () -> zk.delete("/golden/doomed", 0));
        failing("delete NONODE", () -> zk.delete("/golden/doomed", -1));
        failing("delete NOTEMPTY", () -> zk.delete("/golden", -1));
    }

    private static void readsAndWrites() throws Exception {
        step("exists", () -> zk.exists("/golden", false));
        step("exists NONODE", () -> zk.exists("/golden/absent", false));
        step("getData", () -> zk.getData("/golden", false, new Stat()));
        step("getData of null", () -> zk.getData("/golden/null", false, new Stat()));
        step("getData of an ephemeral", () -> zk.getData("/golden/ephemeral", false, new Stat()));
        step("getData of a container", () -> zk.getData("/golden/container", false, new Stat()));
        failing("getData NONODE", () -> zk.getData("/golden/absent", false, new Stat()));
        step("setData", () -> zk.setData("/golden", bytes("changed"), 0));
        step("setData to null", () -> zk.setData("/golden", null, -1));
        failing("setData BADVERSION", () -> zk.setData("/golden", bytes("x"), 0));
        step("getChildren", () -> zk.getChildren("/golden/two", false));
        step("getChildren2", () -> zk.getChildren("/golden", false, new Stat()));
        step("sync", () -> {
            CountDownLatch done = new CountDownLatch(1);
            zk.sync("/golden", (code, path, context) -> done.countDown(), null);
            done.await();
        });
        step("getEphemerals", () -> zk.getEphemerals());
        step("getEphemerals with prefix", () -> zk.getEphemerals("/golden/es"));
        step("getAllChildrenNumber", () -> zk.getAllChildrenNumber("/golden"));
        step("whoAmI", () -> zk.whoAmI());
        step("getConfig", () -> zk.getConfig(false, new Stat()));
        failing("reconfig", () -> zk.reconfigure("server.2=localhost:2:3;4", "3", null, -1, new Stat()));
    }

    private static void accessControl() throws Exception {
        step("auth", () -> {
            zk.addAuthInfo("digest", bytes("golden:secret"));
            zk.exists("/golden", false);
        });
        step("whoAmI after auth", () -> zk.whoAmI());
        step("create with CREATOR_ALL_ACL", () ->
            zk.create("/golden/mine", bytes("m"), Ids.CREATOR_ALL_ACL, CreateMode.PERSISTENT));
        step("getACL", () -> zk.getACL("/golden/mine", new Stat()));
        step("setACL", () -> zk.setACL("/golden/mine", Arrays.asList(
            new ACL(Perms.READ | Perms.ADMIN, new Id("ip", "127.0.0.1")),
            new ACL(Perms.ALL, new Id("digest", "other:x1nq8J5GOJVPY6zgzhtTtA9izLc="))), 0));
        failing("setACL BADVERSION", () -> zk.setACL("/golden/mine", Ids.OPEN_ACL_UNSAFE, 5));
        failing("setData NOAUTH", () -> zk.setData("/golden/mine", bytes("x"), -1));
        failing("create INVALIDACL", () -> zk.create("/golden/bad", null,
            Arrays.asList(new ACL(Perms.ALL, new Id("nonsense", "x"))), CreateMode.PERSISTENT));
    }

    private static void multi() throws Exception {
        step("multi of every kind", () -> {
            Transaction transaction = zk.transaction();
            transaction.create("/golden/m", bytes("1"), Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
            transaction.create("/golden/m/s-", bytes("2"), Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT_SEQUENTIAL);
            transaction.setData("/golden/m", bytes("3"), 0);
            transaction.check("/golden/m", 1);
            transaction.create("/golden/m/gone", null, Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL);
            transaction.delete("/golden/m/gone", 0);
            transaction.commit();
        });
        step("multi with container and TTL", () -> zk.multi(List.of(
            Op.create("/golden/mc", bytes("c"), Ids.OPEN_ACL_UNSAFE, CreateMode.CONTAINER),
            Op.create("/golden/mt", bytes("t"), Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT_WITH_TTL, 3600_000L))));
        failing("multi failing in the middle", () -> zk.multi(List.of(
            Op.create("/golden/m2", bytes("1"), Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT),
            Op.check("/golden/m", 9),
            Op.delete("/golden/m2", -1))));
        step("multiRead", () -> zk.multi(List.of(
            Op.getData("/golden/m"), Op.getChildren("/golden/m"), Op.getData("/golden/absent"))));
        step("multi of nothing", () -> zk.multi(new ArrayList<>()));
    }

    private static void watches() throws Exception {
        step("exists with watch on an absent node", () -> zk.exists("/golden/w", true));
        step("NodeCreated", () -> create("/golden/w", "1", CreateMode.PERSISTENT));
        step("getData with watch", () -> zk.getData("/golden/w", true, new Stat()));
        step("NodeDataChanged", () -> zk.setData("/golden/w", bytes("2"), -1));
        step("getChildren with watch", () -> zk.getChildren("/golden/w", true));
        step("NodeChildrenChanged", () -> create("/golden/w/child", "1", CreateMode.PERSISTENT));
        step("getData with watch again", () -> zk.getData("/golden/w/child", true, new Stat()));
        step("getChildren2 with watch", () -> zk.getChildren("/golden/w/child", true, new Stat()));
        step("NodeDeleted", () -> zk.delete("/golden/w/child", -1));
    }

    private static void persistentWatches() throws Exception {
        Watcher watcher = event -> { };
        step("addWatch persistent", () -> zk.addWatch("/golden/p", watcher, AddWatchMode.PERSISTENT));
        step("addWatch recursive", () -> zk.addWatch("/golden/r", watcher, AddWatchMode.PERSISTENT_RECURSIVE));
        step("persistent NodeCreated", () -> create("/golden/p", "1", CreateMode.PERSISTENT));
        step("persistent NodeChildrenChanged", () -> create("/golden/p/c", "1", CreateMode.PERSISTENT));
        step("recursive NodeCreated", () -> create("/golden/r", "1", CreateMode.PERSISTENT));
        step("recursive NodeCreated below", () -> create("/golden/r/below", "1", CreateMode.PERSISTENT));
        step("data watch to check and remove", () -> zk.getData("/golden/two", watcher, new Stat()));
        step("checkWatches", () -> zk.removeWatches("/golden/two", watcher, Watcher.WatcherType.Data, false));
        failing("removeWatches NOWATCHER", () ->
            zk.removeAllWatches("/golden/empty", Watcher.WatcherType.Children, false));
        step("removeWatches", () -> zk.removeAllWatches("/golden/p", Watcher.WatcherType.Any, false));
    }

    /** The proxy cuts the connection when it reads these names; the client comes back with its session and watches. */
    private static void reconnect() throws Exception {
        step("RECONNECT setWatches2", () -> zk.exists("/golden", false));
        step("watches before setWatches", () ->
            zk.removeAllWatches("/golden/r", Watcher.WatcherType.Any, false));
        step("one data watch", () -> zk.getData("/golden/w", true, new Stat()));
        step("one exists watch", () -> zk.exists("/golden/absent", true));
        step("one child watch", () -> zk.getChildren("/golden/w", true));
        step("RECONNECT setWatches", () -> zk.exists("/golden", false));
    }

    private static void rest() throws Exception {
        step("ping", () -> Thread.sleep(2000));
        step("create with surrogates in an ACL id", () -> zk.create("/golden/acl-id", null,
            Arrays.asList(Ids.OPEN_ACL_UNSAFE.get(0), new ACL(Perms.ALL, new Id("digest", "\ud83d\udc31:x"))), CreateMode.PERSISTENT));
        step("getACL with surrogates", () -> zk.getACL("/golden/acl-id", new Stat()));
    }

    private static ZooKeeperAdmin connect() throws Exception {
        CountDownLatch connected = new CountDownLatch(1);
        ZKClientConfig config = new ZKClientConfig();
        ZooKeeperAdmin client = new ZooKeeperAdmin(connectString, 6000, event -> connected.countDown(), false, config);
        connected.await();
        return client;
    }

    private static void create(String path, String data, CreateMode mode) throws Exception {
        zk.create(path, bytes(data), Ids.OPEN_ACL_UNSAFE, mode);
    }

    private static void failing(String name, Action action) throws Exception {
        step(name, () -> {
            try {
                action.run();
            } catch (KeeperException expected) {
                System.err.println(name + ": " + expected.code());
            }
        });
    }

    private static void step(String name, Action action) throws Exception {
        say("STEP " + name);
        try {
            action.run();
        } catch (KeeperException.ConnectionLossException loss) {
            action.run();
        }
        say("DONE " + name);
    }

    /** Prints a line and waits until the reader has taken note of it. */
    private static void say(String line) throws Exception {
        System.out.println(line);
        System.out.flush();
        STDIN.readLine();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
