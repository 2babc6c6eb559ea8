import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeSet;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.RetryNTimes;
import org.apache.curator.x.discovery.ServiceDiscovery;
import org.apache.curator.x.discovery.ServiceDiscoveryBuilder;
import org.apache.curator.x.discovery.ServiceInstance;
import org.apache.curator.x.discovery.ServiceProvider;
import org.apache.curator.x.discovery.UriSpec;

/**
 * Does with Curator's service discovery what it is told on stdin, one line each, and answers with one line. All services are
 * under /services, their payload is a Map. Usage: CuratorDiscovery host:port
 */
public final class CuratorDiscovery {
    private static final Map<String, ServiceInstance<Map>> REGISTERED = new HashMap<>();
    private static final Map<String, ServiceProvider<Map>> PROVIDERS = new HashMap<>();
    private static ServiceDiscovery<Map> discovery;

    public static void main(String[] arguments) throws Exception {
        CuratorFramework client =
                CuratorFrameworkFactory.newClient(arguments[0], 10_000, 10_000, new RetryNTimes(5, 100));
        client.start();
        client.blockUntilConnected();
        discovery = ServiceDiscoveryBuilder.builder(Map.class).client(client).basePath("/services").build();
        discovery.start();
        System.out.println("ready");
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            try {
                System.out.println(run(line.split(" ")));
            } catch (Throwable error) {
                error.printStackTrace();
                System.out.println("error " + error);
            }
        }
        System.exit(0);
    }

    private static String run(String[] words) throws Exception {
        switch (words[0]) {
            case "register":
                register(words[1], words[2], Integer.parseInt(words[3]), payload(words));
                return "done";
            case "unregister":
                discovery.unregisterService(REGISTERED.remove(words[1]));
                return "done";
            case "names":
                return String.join(",", new TreeSet<>(discovery.queryForNames()));
            case "instances":
                return instances(words[1]);
            case "uri":
                return discovery.queryForInstance(words[1], words[2]).buildUriSpec();
            case "pick":
                ServiceInstance<Map> picked = provider(words[1]).getInstance();
                return picked == null ? "none" : picked.getId();
            case "fail":
                provider(words[1]).noteError(discovery.queryForInstance(words[1], words[2]));
                return "done";
            default:
                return "error no such command: " + words[0];
        }
    }

    private static void register(String name, String id, int port, Map<String, Object> payload) throws Exception {
        ServiceInstance<Map> instance = ServiceInstance.<Map>builder()
                .name(name)
                .id(id)
                .address("theirs.example")
                .port(port)
                .payload(payload)
                .uriSpec(new UriSpec("{scheme}://{address}:{port}/{id}"))
                .build();
        discovery.registerService(instance);
        REGISTERED.put(id, instance);
    }

    /** Members as key=value; none: no payload. */
    private static Map<String, Object> payload(String[] words) {
        Map<String, Object> payload = new LinkedHashMap<>();
        for (int index = 4; index < words.length; index++) {
            String[] member = words[index].split("=");
            payload.put(member[0], member[1].matches("\\d+") ? (Object) Integer.valueOf(member[1]) : member[1]);
        }
        return payload.isEmpty() ? null : payload;
    }

    private static String instances(String name) throws Exception {
        TreeSet<String> all = new TreeSet<>();
        for (ServiceInstance<Map> one : discovery.queryForInstances(name)) {
            all.add(one.getId() + " " + one.getAddress() + " " + one.getPort() + " " + one.getServiceType() + " "
                    + one.getPayload());
        }
        return String.join("; ", all);
    }

    private static ServiceProvider<Map> provider(String name) throws Exception {
        ServiceProvider<Map> provider = PROVIDERS.get(name);
        if (provider == null) {
            provider = discovery.serviceProviderBuilder().serviceName(name).build();
            provider.start();
            PROVIDERS.put(name, provider);
        }
        return provider;
    }
}
