package interop;

import com.microsoft.durabletask.DurableTaskClient;
import com.microsoft.durabletask.DurableTaskGrpcClientBuilder;
import com.microsoft.durabletask.NewOrchestrationInstanceOptions;
import com.microsoft.durabletask.OrchestrationMetadata;
import com.microsoft.durabletask.OrchestrationRuntimeStatus;
import com.microsoft.durabletask.OrchestrationStatusQuery;
import com.microsoft.durabletask.PurgeInstanceCriteria;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeoutException;

/** Runs the checks with the Java SDK's client: Client PORT RUN [MISSING...]. Prints a line for each. */
public final class Client {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private interface Check {
        void run(String id) throws Exception;
    }

    private final DurableTaskClient client;
    private final String run;
    /** What the worker's SDK does not have. */
    private final Set<String> missing;
    private boolean failed;

    private Client(DurableTaskClient client, String run, Set<String> missing) {
        this.client = client;
        this.run = run;
        this.missing = missing;
    }

    public static void main(String[] args) {
        DurableTaskClient client = new DurableTaskGrpcClientBuilder().port(Integer.parseInt(args[0])).build();
        Client checks = new Client(client, args[1], Set.of(Arrays.copyOfRange(args, 2, args.length)));
        checks.patterns();
        checks.control();
        checks.administration();
        System.exit(checks.failed ? 1 : 0);
    }

    private void patterns() {
        check("activity chain", null, id -> equal(
                List.of(outcome("Chain", id, null, String[].class)),
                List.of("Hello, Tokyo!", "Hello, Seattle!", "Hello, Zürich 🚀!")));
        check("fan-out and fan-in", null, id -> equal(outcome("FanOut", id, 30, Integer.class), 9455));
        check("sub-orchestrations", null, id -> equal(
                List.of(outcome("Parent", id, List.of(2, 3, 4), Integer[].class)), List.of(5, 14, 30)));
        check("event or timer", null, id -> equal(outcome("Approval", id, 1, String.class), "timed out"));
        check("timer", null, id -> equal(outcome("Nap", id, 1, Boolean.class), true));
        check("continue-as-new", null, id -> equal(outcome("CountToFive", id, 1, Integer.class), 5));
        check("retry of an activity", "retry", id -> equal(outcome("Persist", id, id, Integer.class), 3));
        check("retry of a sub-orchestration", "retry", id -> equal(outcome("PersistChild", id, id, Integer.class), 3));
        check("failure", null, id -> {
            start("Fragile", id, "7");
            String message = end(id, OrchestrationRuntimeStatus.FAILED).getFailureDetails().getErrorMessage();
            equal(message + " holds the reason: " + message.contains("no such order: 7"), message + " holds the reason: true");
        });
        check("failure caught", null, id -> {
            String text = outcome("Guarded", id, "8", String.class);
            equal(text.startsWith("caught") && text.contains("no such order: 8") ? "caught" : text, "caught");
        });
        String text = "é".repeat(160_000);
        check("a large payload", null, id -> equal(outcome("Echo", id, text, String.class).equals(text), true));
    }

    private void control() {
        check("external event", null, id -> {
            start("Approval", id, 600);
            client.waitForInstanceStart(id, PATIENCE);
            client.raiseEvent(id, "approval", "Ada");
            equal(end(id).readOutputAs(String.class), "approved by Ada");
        });
        check("events kept by continue-as-new", "exact carry-over", id -> {
            start("Collect", id, List.of());
            for (String item : List.of("a", "b", "c")) {
                client.raiseEvent(id, "item", item);
            }
            equal(List.of(end(id).readOutputAs(String[].class)), List.of("a", "b", "c"));
        });
        check("custom status", "JSON custom status", id -> {
            start("Report", id, null);
            OrchestrationMetadata found = client.getInstanceMetadata(id, true);
            for (Instant deadline = Instant.now().plus(PATIENCE); !found.isCustomStatusFetched(); Thread.sleep(10)) {
                equal(Instant.now().isBefore(deadline), true);
                found = client.getInstanceMetadata(id, true);
            }
            equal(found.readCustomStatusAs(String.class), "halfway");
            client.raiseEvent(id, "go");
            equal(end(id).readCustomStatusAs(String.class), "there");
        });
        check("event from an orchestration", "send event", id -> {
            start("Approval", id, 600);
            equal(outcome("Notify", id + "-by", id, String.class), "told");
            equal(end(id).readOutputAs(String.class), "approved by a colleague");
        });
        check("terminate", null, id -> {
            start("Approval", id, 600);
            client.terminate(id, "enough");
            equal(end(id, OrchestrationRuntimeStatus.TERMINATED).readOutputAs(String.class), "enough");
        });
        check("suspend and resume", null, id -> {
            start("Approval", id, 600);
            client.waitForInstanceStart(id, PATIENCE);
            client.suspendInstance(id, "lunch");
            client.raiseEvent(id, "approval", "Grace");
            try {
                client.waitForInstanceCompletion(id, Duration.ofMillis(500), true);
                throw new AssertionError("It ended while it was suspended.");
            } catch (TimeoutException expected) {
                equal(client.getInstanceMetadata(id, false).getRuntimeStatus(), OrchestrationRuntimeStatus.SUSPENDED);
            }
            client.resumeInstance(id, "back");
            equal(end(id).readOutputAs(String.class), "approved by Grace");
        });
    }

    private void administration() {
        check("scheduled start", null, id -> {
            Instant at = Instant.now().plusSeconds(1);
            client.scheduleNewOrchestrationInstance(
                    "Chain", new NewOrchestrationInstanceOptions().setInstanceId(id).setStartTime(at));
            equal(client.getInstanceMetadata(id, false).getRuntimeStatus(), OrchestrationRuntimeStatus.PENDING);
            end(id);
            equal(Instant.now().isBefore(at), false);
        });
        check("the same id twice", null, id -> {
            start("Approval", id, 600);
            try {
                start("FanOut", id, 3);
                throw new AssertionError("The second start was not refused.");
            } catch (StatusRuntimeException error) {
                equal(error.getStatus().getCode(), Status.Code.ALREADY_EXISTS);
            }
        });
        check("the id of what has ended", null, id -> {
            equal(outcome("FanOut", id, 2, Integer.class), 5);
            equal(outcome("FanOut", id, 3, Integer.class), 14);
        });
        check("restart", null, id -> {
            outcome("FanOut", id, 3, Integer.class);
            String again = client.restartInstance(id, true);
            equal(again.equals(id), false);
            equal(end(again).readOutputAs(Integer.class), 14);
        });
        check("query in pages", null, id -> {
            for (int number = 1; number <= 5; number++) {
                outcome("FanOut", id + "-" + number, number, Integer.class);
            }
            OrchestrationStatusQuery query = new OrchestrationStatusQuery()
                    .setInstanceIdPrefix(id + "-")
                    .setRuntimeStatusList(List.of(OrchestrationRuntimeStatus.COMPLETED))
                    .setMaxInstanceCount(2)
                    .setFetchInputsAndOutputs(true);
            List<Integer> found = new ArrayList<>();
            String token = null;
            do {
                var page = client.queryInstances(query.setContinuationToken(token));
                page.getOrchestrationState().forEach(state -> found.add(state.readOutputAs(Integer.class)));
                token = page.getContinuationToken();
            } while (token != null && !token.isEmpty());
            equal(found, List.of(1, 5, 14, 30, 55));
        });
        check("purge", null, id -> {
            outcome("Chain", id, null, String[].class);
            equal(client.purgeInstance(id).getDeletedInstanceCount(), 1);
            equal(client.getInstanceMetadata(id, false).isInstanceFound(), false);
        });
        check("purge by filter", null, id -> {
            Instant begun = Instant.now();
            outcome("Chain", id, null, String[].class);
            start("Approval", id + "-open", 600);
            PurgeInstanceCriteria ended = new PurgeInstanceCriteria()
                    .setCreatedTimeFrom(begun)
                    .setCreatedTimeTo(Instant.now())
                    .setRuntimeStatusList(List.of(OrchestrationRuntimeStatus.COMPLETED));
            equal(client.purgeInstances(ended).getDeletedInstanceCount(), 1);
            equal(client.getInstanceMetadata(id, false).isInstanceFound(), false);
            client.terminate(id + "-open", "enough");
            end(id + "-open", OrchestrationRuntimeStatus.TERMINATED);
        });
        check("a task hub made anew", null, id -> {
            start("Approval", id, 600);
            client.createTaskHub(true);
            equal(client.getInstanceMetadata(id, false).isInstanceFound(), false);
            equal(outcome("FanOut", id, 3, Integer.class), 14);
        });
        check("nothing there", null, id -> equal(client.getInstanceMetadata(id, false).isInstanceFound(), false));
    }

    private void check(String name, String needs, Check body) {
        if (needs != null && missing.contains(needs)) {
            System.out.println("skip " + name + ": the worker's SDK has no " + needs);
            return;
        }
        try {
            body.run(run + "-" + name.replace(' ', '-'));
            System.out.println("ok " + name);
        } catch (Exception | AssertionError error) {
            failed = true;
            System.out.println(("not ok " + name + ": " + error).replaceAll("\\s+", " "));
        }
    }

    private void start(String name, String id, Object input) {
        equal(client.scheduleNewOrchestrationInstance(name, input, id), id);
    }

    private OrchestrationMetadata end(String id) throws TimeoutException {
        return end(id, OrchestrationRuntimeStatus.COMPLETED);
    }

    private OrchestrationMetadata end(String id, OrchestrationRuntimeStatus status) throws TimeoutException {
        OrchestrationMetadata ended = client.waitForInstanceCompletion(id, PATIENCE, true);
        equal(ended.getRuntimeStatus(), status);
        return ended;
    }

    private <T> T outcome(String name, String id, Object input, Class<T> type) throws TimeoutException {
        start(name, id, input);
        return end(id).readOutputAs(type);
    }

    private static void equal(Object found, Object wanted) {
        if (!wanted.equals(found)) {
            throw new AssertionError("expected " + wanted + ", found " + found);
        }
    }
}
