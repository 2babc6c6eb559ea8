import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.StringReader;
import java.util.Properties;
import org.apache.zookeeper.server.quorum.QuorumPeerConfig;

/**
 * Reads configurations of ensembles from stdin, each ended by a line "---", and writes each as ZooKeeper prints it, or
 * "error", ended by the same line.
 */
public final class ConfigText {
  public static void main(String[] args) throws Exception {
    System.setProperty("zookeeper.multiAddress.enabled", "true");
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    StringBuilder text = new StringBuilder();
    StringBuilder out = new StringBuilder();
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      if (!line.equals("---")) {
        text.append(line).append('\n');
        continue;
      }
      out.append(printed(text.toString())).append("\n---\n");
      text.setLength(0);
    }
    System.out.print(out);
  }

  private static String printed(String text) {
    try {
      Properties properties = new Properties();
      properties.load(new StringReader(text));
      return QuorumPeerConfig.parseDynamicConfig(properties, 3, false, false, null).toString();
    } catch (Exception e) {
      return "error";
    }
  }
}
