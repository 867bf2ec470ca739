import static org.codelibs.opensearch.runner.OpenSearchRunner.newConfigs;

import org.codelibs.opensearch.runner.OpenSearchRunner;

/** One node of OpenSearch in the folder that is given, on free ports, until its input ends. */
public class Node {
    public static void main(String[] arguments) throws Exception {
        try (OpenSearchRunner runner = new OpenSearchRunner()) {
            runner.onBuild((number, settings) -> {
                settings.put("discovery.type", "single-node");
                settings.put("http.port", "0");
                settings.put("transport.port", "0");
            });
            runner.build(newConfigs().basePath(arguments[0]).clusterName("tests").numOfNode(1));
            System.in.read();
        }
    }
}
