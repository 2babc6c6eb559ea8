import java.io.File;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.StatPersisted;
import org.apache.zookeeper.server.DataNode;
import org.apache.zookeeper.server.DataTree;
import org.apache.zookeeper.server.persistence.FileTxnLog;
import org.apache.zookeeper.server.persistence.FileTxnSnapLog;
import org.apache.zookeeper.server.persistence.TxnLog.TxnIterator;
import org.apache.zookeeper.txn.TxnHeader;

/**
 * Loads a data directory with ZooKeeper's own classes and prints what it holds, one sorted line per fact:
 * the last zxid, the sessions, every node with its persisted stat, the digest of the tree (and where the digests in the
 * files disagree with it) and, with --txns, the header of every transaction in the logs. Usage: TreeDump [--txns] dataLogDir [dataDir]
 */
public final class TreeDump {
    public static void main(String[] arguments) throws Exception {
        List<String> rest = new ArrayList<>(List.of(arguments));
        boolean withTransactions = rest.remove("--txns");
        File logDirectory = new File(rest.get(0));
        File snapDirectory = new File(rest.get(rest.size() - 1));

        DataTree tree = new DataTree();
        ConcurrentHashMap<Long, Integer> sessions = new ConcurrentHashMap<>();
        StringBuilder out = new StringBuilder();
        tree.addDigestWatcher(zxid -> out.append("digest mismatch at ").append(Long.toHexString(zxid)).append('\n'));
        FileTxnSnapLog log = new FileTxnSnapLog(logDirectory, snapDirectory);
        long lastZxid = log.restore(tree, sessions, (header, txn, digest) -> { });
        log.close();

        out.append("zxid ").append(Long.toHexString(lastZxid)).append('\n');
        for (Map.Entry<Long, Integer> session : new TreeMap<>(sessions).entrySet()) {
            out.append("session ").append(Long.toHexString(session.getKey()));
            out.append(" timeoutMs=").append(session.getValue()).append('\n');
        }
        TreeMap<String, String> nodes = new TreeMap<>();
        collect(tree, "", nodes);
        nodes.values().forEach(out::append);
        out.append("digest ").append(Long.toHexString(tree.getTreeDigest())).append('\n');
        if (withTransactions) appendTransactions(new File(logDirectory, "version-2"), out);
        System.out.write(out.toString().getBytes(StandardCharsets.UTF_8));
        System.out.flush();
        System.exit(0);
    }

    private static void collect(DataTree tree, String path, TreeMap<String, String> nodes) {
        DataNode node = tree.getNode(path);
        String shown = path.isEmpty() ? "/" : path;
        nodes.put(shown, line(tree, shown, node));
        List<String> children;
        synchronized (node) {
            children = new ArrayList<>(node.getChildren());
        }
        for (String child : children) collect(tree, path + "/" + child, nodes);
    }

    private static String line(DataTree tree, String path, DataNode node) {
        StatPersisted stat = node.stat;
        return "node " + escape(path)
            + " data=" + hex(node.getData())
            + " acl=" + acls(tree.getACL(node))
            + " czxid=" + Long.toHexString(stat.getCzxid())
            + " mzxid=" + Long.toHexString(stat.getMzxid())
            + " pzxid=" + Long.toHexString(stat.getPzxid())
            + " ctime=" + stat.getCtime()
            + " mtime=" + stat.getMtime()
            + " version=" + stat.getVersion()
            + " storedCversion=" + stat.getCversion()
            + " aversion=" + stat.getAversion()
            + " ephemeralOwner=" + Long.toHexString(stat.getEphemeralOwner())
            + "\n";
    }

    private static void appendTransactions(File directory, StringBuilder out) throws Exception {
        FileTxnLog log = new FileTxnLog(directory);
        try (TxnIterator iterator = log.read(0)) {
            if (iterator.getHeader() == null) return;
            do {
                TxnHeader header = iterator.getHeader();
                out.append("txn ").append(Long.toHexString(header.getZxid()));
                out.append(" session=").append(Long.toHexString(header.getClientId()));
                out.append(" cxid=").append(header.getCxid());
                out.append(" time=").append(header.getTime());
                out.append(" type=").append(header.getType());
                out.append(" digest=").append(iterator.getDigest() == null
                    ? "none" : Long.toHexString(iterator.getDigest().getTreeDigest()));
                out.append('\n');
            } while (iterator.next());
        }
    }

    private static String acls(List<ACL> acls) {
        if (acls == null) return "null";
        List<String> shown = new ArrayList<>();
        for (ACL acl : acls) {
            shown.add(escape(acl.getId().getScheme()) + ":" + escape(acl.getId().getId()) + ":" + acl.getPerms());
        }
        return String.join(",", shown);
    }

    private static String hex(byte[] data) {
        if (data == null) return "null";
        StringBuilder digits = new StringBuilder();
        for (byte b : data) digits.append(String.format("%02x", b));
        return digits.toString();
    }

    /** Percent-encodes what would break a line or a field. */
    private static String escape(String text) {
        StringBuilder out = new StringBuilder();
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            if (b > 0x20 && b < 0x7f && b != '%' && b != ',') out.append((char) b);
            else out.append(String.format("%%%02x", b));
        }
        return out.toString();
    }
}
