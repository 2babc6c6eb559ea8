import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooDefs.Perms;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.Id;
import org.apache.zookeeper.data.Stat;

/**
 * Fills a server with one of everything that ends up on disk, under /NAME: all kinds of nodes, ACLs, quotas, multis,
 * failed writes, deletions, a session that was closed and one that is still open. Prints READY and keeps the open session
 * until its stdin ends; then the program ends without closing it. Usage: TreeMaker host:port NAME [count]
 */
public final class TreeMaker {
    private static String connectString;
    private static String root;

    public static void main(String[] arguments) throws Exception {
        connectString = arguments[0];
        root = "/" + arguments[1];
        int count = arguments.length > 2 ? Integer.parseInt(arguments[2]) : 10;
        ZooKeeper open = connect(30_000);
        ZooKeeper closed = connect(20_000);
        nodes(open, count);
        accessControl(open);
        transactions(open);
        ephemerals(open, closed);
        quotas(open);
        failures(open);
        closed.close();
        System.out.println("READY " + Long.toHexString(open.getSessionId()));
        System.out.flush();
        while (System.in.read() >= 0) continue;
        Runtime.getRuntime().halt(0);
    }

    private static void nodes(ZooKeeper zk, int count) throws Exception {
        persistent(zk, root, "root");
        for (int i = 0; i < count; i++) {
            persistent(zk, root + "/n" + i, "value " + i);
            for (int j = 0; j < i % 4; j++) zk.setData(root + "/n" + i, bytes("value " + i + "." + j), j);
        }
        for (int i = 0; i < count; i += 3) zk.delete(root + "/n" + i, -1);
        for (int i = 0; i < 3; i++) {
            zk.create(root + "/seq-", null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT_SEQUENTIAL);
        }
        persistent(zk, root + "/empty", "");
        zk.create(root + "/null", null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        persistent(zk, root + "/\u732b\u9f2c", "\u00e9\u732b");
        byte[] large = new byte[2000];
        for (int i = 0; i < large.length; i++) large[i] = (byte) (i * 7);
        zk.create(root + "/large", large, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT, new Stat());
        zk.create(root + "/container", null, Ids.OPEN_ACL_UNSAFE, CreateMode.CONTAINER);
        persistent(zk, root + "/container/child", "c");
        zk.create(root + "/ttl", bytes("t"), Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT_WITH_TTL, new Stat(), 86_400_000L);
        zk.create(root + "/ttl-", bytes("t"), Ids.OPEN_ACL_UNSAFE,
            CreateMode.PERSISTENT_SEQUENTIAL_WITH_TTL, new Stat(), 1_099_511_627_775L);
    }

    private static void accessControl(ZooKeeper zk) throws Exception {
        zk.addAuthInfo("digest", bytes("maker:secret"));
        zk.create(root + "/mine", bytes("m"), Ids.CREATOR_ALL_ACL, CreateMode.PERSISTENT);
        zk.create(root + "/readable", bytes("r"), Ids.READ_ACL_UNSAFE, CreateMode.PERSISTENT);
        persistent(zk, root + "/changed", "c");
        List<ACL> several = Arrays.asList(
            new ACL(Perms.READ | Perms.WRITE, new Id("ip", "127.0.0.1")),
            new ACL(Perms.ALL, new Id("ip", "10.0.0.0/8")),
            new ACL(Perms.ALL, new Id("digest", "other:x1nq8J5GOJVPY6zgzhtTtA9izLc=")));
        zk.setACL(root + "/changed", several, 0);
        zk.create(root + "/mine/same", null, several, CreateMode.PERSISTENT);
    }

    private static void transactions(ZooKeeper zk) throws Exception {
        zk.multi(List.of(
            Op.create(root + "/multi", bytes("1"), Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT),
            Op.create(root + "/multi/s-", null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT_SEQUENTIAL),
            Op.setData(root + "/multi", bytes("2"), 0),
            Op.check(root + "/multi", 1),
            Op.create(root + "/multi/c", null, Ids.OPEN_ACL_UNSAFE, CreateMode.CONTAINER),
            Op.create(root + "/multi/t", null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT_WITH_TTL, 86_400_000L),
            Op.create(root + "/multi/e", null, Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL),
            Op.create(root + "/multi/gone", null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT),
            Op.delete(root + "/multi/gone", 0)));
    }

    private static void ephemerals(ZooKeeper open, ZooKeeper closed) throws Exception {
        for (int i = 0; i < 3; i++) {
            open.create(root + "/open-", bytes("o"), Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL_SEQUENTIAL);
            closed.create(root + "/closed-", bytes("c"), Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL_SEQUENTIAL);
        }
    }

    private static void quotas(ZooKeeper zk) throws Exception {
        String quota = "/zookeeper/quota" + root;
        persistent(zk, quota, "");
        zk.create(quota + "/zookeeper_limits", bytes("count=1000,bytes=-1"), Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        zk.create(quota + "/zookeeper_stats", bytes("count=0,bytes=0"), Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        persistent(zk, root + "/counted", "12345");
        zk.setData(root + "/counted", bytes("1234567"), 0);
    }

    private static void failures(ZooKeeper zk) throws Exception {
        failing(() -> persistent(zk, root, "again"));
        failing(() -> zk.delete(root, -1));
        failing(() -> zk.setData(root, bytes("x"), 77));
        failing(() -> zk.multi(List.of(
            Op.create(root + "/rolled-back", null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT),
            Op.check(root + "/absent", 0))));
    }

    private interface Action {
        void run() throws Exception;
    }

    private static void failing(Action action) throws Exception {
        try {
            action.run();
        } catch (KeeperException expected) {
            return;
        }
        throw new IllegalStateException("a write that must fail succeeded");
    }

    private static ZooKeeper connect(int timeoutMs) throws Exception {
        CountDownLatch connected = new CountDownLatch(1);
        ZooKeeper client = new ZooKeeper(connectString, timeoutMs, event -> connected.countDown());
        connected.await();
        return client;
    }

    private static void persistent(ZooKeeper zk, String path, String data) throws Exception {
        zk.create(path, bytes(data), Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
