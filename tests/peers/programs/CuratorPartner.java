import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.atomic.DistributedAtomicInteger;
import org.apache.curator.framework.recipes.atomic.DistributedAtomicLong;
import org.apache.curator.framework.recipes.atomic.DistributedAtomicValue;
import org.apache.curator.framework.recipes.barriers.DistributedBarrier;
import org.apache.curator.framework.recipes.barriers.DistributedDoubleBarrier;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.leader.LeaderSelector;
import org.apache.curator.framework.recipes.leader.LeaderSelectorListenerAdapter;
import org.apache.curator.framework.recipes.leader.Participant;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.locks.InterProcessReadWriteLock;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreV2;
import org.apache.curator.framework.recipes.locks.Lease;
import org.apache.curator.framework.recipes.nodes.GroupMember;
import org.apache.curator.framework.recipes.queue.DistributedDelayQueue;
import org.apache.curator.framework.recipes.queue.DistributedPriorityQueue;
import org.apache.curator.framework.recipes.queue.DistributedQueue;
import org.apache.curator.framework.recipes.queue.MultiItem;
import org.apache.curator.framework.recipes.queue.QueueBuilder;
import org.apache.curator.framework.recipes.queue.QueueConsumer;
import org.apache.curator.framework.recipes.queue.QueueSerializer;
import org.apache.curator.framework.recipes.queue.SimpleDistributedQueue;
import org.apache.curator.framework.recipes.shared.SharedCount;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.curator.retry.RetryNTimes;

/**
 * Does with Curator's recipes what it is told on stdin, one line each, and answers with one line. What is made is kept
 * under its path. Usage: CuratorPartner host:port
 */
public final class CuratorPartner {
    private interface Command {
        Object run(String[] words) throws Exception;
    }

    private static final Map<String, Command> COMMANDS = new HashMap<>();
    private static final Map<String, Object> KEPT = new HashMap<>();
    private static CuratorFramework client;

    public static void main(String[] arguments) throws Exception {
        client = CuratorFrameworkFactory.newClient(arguments[0], 10_000, 10_000, new RetryNTimes(5, 100));
        client.start();
        client.blockUntilConnected();
        locks();
        elections();
        barriersAndCounters();
        queues();
        System.out.println("ready");
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] words = line.split(" ");
            try {
                System.out.println(COMMANDS.get(words[0]).run(words));
            } catch (Throwable error) {
                error.printStackTrace();
                System.out.println("error " + error);
            }
        }
        System.exit(0);
    }

    private static void locks() {
        COMMANDS.put("mutex", w -> kept(w[1], () -> new InterProcessMutex(client, w[1])).acquire(ms(w[2]), TimeUnit.MILLISECONDS));
        COMMANDS.put("unlock", w -> done(() -> ((InterProcessMutex) KEPT.get(w[1])).release()));
        COMMANDS.put("participants", w -> new InterProcessMutex(client, w[1]).getParticipantNodes().size());
        COMMANDS.put("read", w -> rw(w[1]).readLock().acquire(ms(w[2]), TimeUnit.MILLISECONDS));
        COMMANDS.put("unread", w -> done(() -> rw(w[1]).readLock().release()));
        COMMANDS.put("write", w -> rw(w[1]).writeLock().acquire(ms(w[2]), TimeUnit.MILLISECONDS));
        COMMANDS.put("unwrite", w -> done(() -> rw(w[1]).writeLock().release()));
        COMMANDS.put("lease", w -> {
            Lease lease = new InterProcessSemaphoreV2(client, w[1], Integer.parseInt(w[2])).acquire(ms(w[3]), TimeUnit.MILLISECONDS);
            if (lease != null) KEPT.put(w[1], lease);
            return lease != null;
        });
        COMMANDS.put("unlease", w -> done(() -> ((Lease) KEPT.remove(w[1])).close()));
    }

    private static void elections() {
        COMMANDS.put("latch", w -> done(() -> kept(w[1], () -> new LeaderLatch(client, w[1], w[2])).start()));
        COMMANDS.put("leads", w -> ((LeaderLatch) KEPT.get(w[1])).await(ms(w[2]), TimeUnit.MILLISECONDS));
        COMMANDS.put("leader", w -> ((LeaderLatch) KEPT.get(w[1])).getLeader().getId());
        COMMANDS.put("candidates", w -> ids(((LeaderLatch) KEPT.get(w[1])).getParticipants()));
        COMMANDS.put("unlatch", w -> done(() -> ((LeaderLatch) KEPT.remove(w[1])).close()));
        COMMANDS.put("select", w -> {
            CountDownLatch stop = new CountDownLatch(1);
            CountDownLatch leads = new CountDownLatch(1);
            LeaderSelector selector = new LeaderSelector(client, w[1], new LeaderSelectorListenerAdapter() {
                @Override
                public void takeLeadership(CuratorFramework leader) throws Exception {
                    leads.countDown();
                    stop.await();
                }
            });
            selector.setId(w[2]);
            selector.start();
            KEPT.put(w[1], stop);
            KEPT.put(w[1] + " leads", leads);
            KEPT.put(w[1] + " selector", selector);
            return "done";
        });
        COMMANDS.put("selected", w -> ((CountDownLatch) KEPT.get(w[1] + " leads")).await(ms(w[2]), TimeUnit.MILLISECONDS));
        COMMANDS.put("selectors", w -> ids(((LeaderSelector) KEPT.get(w[1] + " selector")).getParticipants()));
        COMMANDS.put("resign", w -> done(() -> ((CountDownLatch) KEPT.get(w[1])).countDown()));
    }

    private static void barriersAndCounters() {
        COMMANDS.put("setBarrier", w -> done(() -> new DistributedBarrier(client, w[1]).setBarrier()));
        COMMANDS.put("removeBarrier", w -> done(() -> new DistributedBarrier(client, w[1]).removeBarrier()));
        COMMANDS.put("waitOnBarrier", w -> new DistributedBarrier(client, w[1]).waitOnBarrier(ms(w[2]), TimeUnit.MILLISECONDS));
        COMMANDS.put("enter", w -> kept(w[1], () -> new DistributedDoubleBarrier(client, w[1], Integer.parseInt(w[2]))).enter(ms(w[3]), TimeUnit.MILLISECONDS));
        COMMANDS.put("leave", w -> ((DistributedDoubleBarrier) KEPT.get(w[1])).leave(ms(w[2]), TimeUnit.MILLISECONDS));
        COMMANDS.put("count", w -> {
            SharedCount count = kept(w[1], () -> {
                SharedCount made = new SharedCount(client, w[1], Integer.parseInt(w[2]));
                made.start();
                return made;
            });
            return count.getCount();
        });
        COMMANDS.put("setCount", w -> done(() -> ((SharedCount) KEPT.get(w[1])).setCount(Integer.parseInt(w[2]))));
        COMMANDS.put("addLong", w -> new DistributedAtomicLong(client, w[1], new RetryNTimes(100, 1)).add(Long.parseLong(w[2])).postValue());
        COMMANDS.put("addInt", w -> new DistributedAtomicInteger(client, w[1], new RetryNTimes(100, 1)).add(Integer.parseInt(w[2])).postValue());
        COMMANDS.put("getLong", w -> new DistributedAtomicLong(client, w[1], new RetryNTimes(100, 1)).get().postValue());
        COMMANDS.put("getValue", w -> text(new DistributedAtomicValue(client, w[1], new RetryNTimes(100, 1)).get().postValue()));
        COMMANDS.put("swapValue", w -> new DistributedAtomicValue(client, w[1], new RetryNTimes(100, 1)).compareAndSet(bytes(w[2]), bytes(w[3])).succeeded());
        COMMANDS.put("join", w -> done(() -> kept(w[1], () -> new GroupMember(client, w[1], w[2], bytes(w[3]))).start()));
        COMMANDS.put("members", w -> new TreeMap<>(((GroupMember) KEPT.get(w[1])).getCurrentMembers()).entrySet().stream()
            .map(member -> member.getKey() + "=" + text(member.getValue())).collect(Collectors.joining(",")));
        COMMANDS.put("quit", w -> done(() -> ((GroupMember) KEPT.remove(w[1])).close()));
    }

    private static void queues() {
        COMMANDS.put("offer", w -> new SimpleDistributedQueue(client, w[1]).offer(bytes(w[2])));
        COMMANDS.put("poll", w -> text(new SimpleDistributedQueue(client, w[1]).poll(ms(w[2]), TimeUnit.MILLISECONDS)));
        COMMANDS.put("put", w -> done(() -> queue(w[1], false, null).put(w[2])));
        COMMANDS.put("putMany", w -> done(() -> queue(w[1], false, null).putMulti(items(Arrays.asList(w).subList(2, w.length)))));
        COMMANDS.put("consume", w -> done(() -> queue(w[1], true, w.length > 2 ? w[2] : null)));
        COMMANDS.put("putPriority", w -> done(() -> priorityQueue(w[1], false).put(w[3], Integer.parseInt(w[2]))));
        COMMANDS.put("consumePriority", w -> done(() -> priorityQueue(w[1], true)));
        COMMANDS.put("putDelayed", w -> done(() -> delayQueue(w[1], false).put(w[3], System.currentTimeMillis() + ms(w[2]))));
        COMMANDS.put("consumeDelayed", w -> done(() -> delayQueue(w[1], true)));
        COMMANDS.put("consumed", w -> received(w[1]).poll(ms(w[2]), TimeUnit.MILLISECONDS));
    }

    private static final Map<String, BlockingQueue<String>> CONSUMED = new HashMap<>();

    private static BlockingQueue<String> received(String path) {
        return CONSUMED.computeIfAbsent(path, p -> new LinkedBlockingQueue<>());
    }

    private static MultiItem<String> items(List<String> list) {
        Iterator<String> iterator = list.iterator();
        return () -> iterator.hasNext() ? iterator.next() : null;
    }

    private static final class Received implements QueueConsumer<String> {
        private final String path;

        private Received(String path) {
            this.path = path;
        }

        @Override
        public void consumeMessage(String message) {
            received(path).add(message);
        }

        @Override
        public void stateChanged(CuratorFramework framework, ConnectionState state) { }
    }

    private static final QueueSerializer<String> TEXTS = new QueueSerializer<>() {
        @Override
        public byte[] serialize(String item) {
            return bytes(item);
        }

        @Override
        public String deserialize(byte[] data) {
            return text(data);
        }
    };

    private static QueueBuilder<String> builder(String path, boolean consume) {
        return QueueBuilder.builder(client, consume ? new Received(path) : null, TEXTS, path);
    }

    private static DistributedQueue<String> queue(String path, boolean consume, String lockPath) throws Exception {
        return kept("queue" + consume + path, () -> {
            QueueBuilder<String> made = builder(path, consume);
            DistributedQueue<String> queue = (lockPath == null ? made : made.lockPath(lockPath)).buildQueue();
            queue.start();
            return queue;
        });
    }

    private static DistributedPriorityQueue<String> priorityQueue(String path, boolean consume) throws Exception {
        return kept("priority" + consume + path, () -> {
            DistributedPriorityQueue<String> queue = builder(path, consume).buildPriorityQueue(1);
            queue.start();
            return queue;
        });
    }

    private static DistributedDelayQueue<String> delayQueue(String path, boolean consume) throws Exception {
        return kept("delay" + consume + path, () -> {
            DistributedDelayQueue<String> queue = builder(path, consume).buildDelayQueue();
            queue.start();
            return queue;
        });
    }

    private static InterProcessReadWriteLock rw(String path) throws Exception {
        return kept(path, () -> new InterProcessReadWriteLock(client, path));
    }

    private static String ids(Collection<Participant> participants) {
        return participants.stream().map(Participant::getId).collect(Collectors.joining(","));
    }

    private interface Maker<T> {
        T make() throws Exception;
    }

    private interface Action {
        void run() throws Exception;
    }

    @SuppressWarnings("unchecked")
    private static <T> T kept(String key, Maker<T> maker) throws Exception {
        if (!KEPT.containsKey(key)) KEPT.put(key, maker.make());
        return (T) KEPT.get(key);
    }

    private static String done(Action action) throws Exception {
        action.run();
        return "done";
    }

    private static long ms(String word) {
        return Long.parseLong(word);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String text(byte[] bytes) {
        return bytes == null ? null : new String(bytes, StandardCharsets.UTF_8);
    }
}
