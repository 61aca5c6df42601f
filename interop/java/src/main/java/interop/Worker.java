package interop;

import com.microsoft.durabletask.DurableTaskGrpcWorker;
import com.microsoft.durabletask.DurableTaskGrpcWorkerBuilder;
import com.microsoft.durabletask.RetryPolicy;
import com.microsoft.durabletask.Task;
import com.microsoft.durabletask.TaskActivity;
import com.microsoft.durabletask.TaskActivityFactory;
import com.microsoft.durabletask.TaskFailedException;
import com.microsoft.durabletask.TaskOptions;
import com.microsoft.durabletask.TaskOrchestration;
import com.microsoft.durabletask.TaskOrchestrationFactory;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The workload of the interop checks, hosted by the Java SDK as its documentation shows: Worker PORT. */
public final class Worker {
    private static final Map<String, Integer> ATTEMPTS = new ConcurrentHashMap<>();
    private static final TaskOptions RETRIES = new TaskOptions(new RetryPolicy(3, Duration.ofMillis(50)));

    public static void main(String[] args) throws Exception {
        DurableTaskGrpcWorkerBuilder builder = new DurableTaskGrpcWorkerBuilder().port(Integer.parseInt(args[0]));
        addActivities(builder);
        addPatterns(builder);
        addWaits(builder);
        addFailures(builder);
        try (DurableTaskGrpcWorker worker = builder.build()) {
            worker.start();
            System.out.println("ready");
            while (System.in.read() != -1) {
                // Until it is closed.
            }
        }
        System.exit(0);
    }

    private static void addActivities(DurableTaskGrpcWorkerBuilder builder) {
        activity(builder, "greet", ctx -> "Hello, " + ctx.getInput(String.class) + "!");
        activity(builder, "square", ctx -> ctx.getInput(Integer.class) * ctx.getInput(Integer.class));
        // Fails twice for each key.
        activity(builder, "flaky", ctx -> {
            String key = ctx.getInput(String.class);
            int count = ATTEMPTS.merge(key, 1, Integer::sum);
            if (count < 3) {
                throw new IllegalStateException("attempt " + count + " of " + key);
            }
            return count;
        });
        activity(builder, "fail", ctx -> {
            throw new IllegalArgumentException("no such order: " + ctx.getInput(String.class));
        });
    }

    private static void addPatterns(DurableTaskGrpcWorkerBuilder builder) {
        orchestration(builder, "Chain", ctx -> {
            List<String> greetings = new ArrayList<>();
            for (String city : List.of("Tokyo", "Seattle", "Zürich 🚀")) {
                greetings.add(ctx.callActivity("greet", city, String.class).await());
            }
            ctx.complete(greetings);
        });
        orchestration(builder, "FanOut", ctx -> {
            List<Task<Integer>> tasks = IntStream.rangeClosed(1, ctx.getInput(Integer.class))
                    .mapToObj(number -> ctx.callActivity("square", number, Integer.class))
                    .toList();
            ctx.complete(ctx.allOf(tasks).await().stream().mapToInt(Integer::intValue).sum());
        });
        orchestration(builder, "Parent", ctx -> {
            List<Task<Integer>> tasks = Arrays.stream(ctx.getInput(int[].class))
                    .mapToObj(count -> ctx.callSubOrchestrator("FanOut", count, Integer.class))
                    .toList();
            ctx.complete(ctx.allOf(tasks).await());
        });
        orchestration(builder, "Tree", ctx -> ctx.complete(
                ctx.callSubOrchestrator("Approval", 3600, ctx.getInstanceId() + "-child", String.class).await()));
        orchestration(builder, "CountToFive", ctx -> {
            int number = ctx.getInput(Integer.class);
            ctx.callActivity("square", number).await();
            if (number == 5) {
                ctx.complete(number);
            } else {
                ctx.continueAsNew(number + 1);
            }
        });
        orchestration(builder, "Echo", ctx -> {
            ctx.callActivity("square", 1).await();
            ctx.complete(ctx.getInput(String.class));
        });
    }

    private static void addWaits(DurableTaskGrpcWorkerBuilder builder) {
        orchestration(builder, "Approval", ctx -> {
            Task<String> approved = ctx.waitForExternalEvent("approval", String.class);
            Task<Void> timedOut = ctx.createTimer(Duration.ofSeconds(ctx.getInput(Integer.class)));
            Task<?> winner = ctx.anyOf(approved, timedOut).await();
            ctx.complete(winner == timedOut ? "timed out" : "approved by " + approved.await());
        });
        orchestration(builder, "Nap", ctx -> {
            Instant due = ctx.getCurrentInstant().plusSeconds(ctx.getInput(Integer.class));
            ctx.createTimer(Duration.ofSeconds(ctx.getInput(Integer.class))).await();
            ctx.complete(!ctx.getCurrentInstant().isBefore(due));
        });
        orchestration(builder, "Collect", ctx -> {
            String item = ctx.waitForExternalEvent("item", String.class).await();
            List<String> items = Stream.concat(Arrays.stream(ctx.getInput(String[].class)), Stream.of(item)).toList();
            if (items.size() == 3) {
                ctx.complete(items);
            } else {
                ctx.continueAsNew(items, true);
            }
        });
        orchestration(builder, "Report", ctx -> {
            ctx.setCustomStatus("halfway");
            ctx.waitForExternalEvent("go").await();
            ctx.setCustomStatus("there");
            ctx.complete("done");
        });
        orchestration(builder, "Notify", ctx -> {
            ctx.sendEvent(ctx.getInput(String.class), "approval", "a colleague");
            ctx.callActivity("square", 1).await();
            ctx.complete("told");
        });
    }

    private static void addFailures(DurableTaskGrpcWorkerBuilder builder) {
        orchestration(builder, "Persist", ctx -> ctx.complete(
                ctx.callActivity("flaky", ctx.getInput(String.class), RETRIES, Integer.class).await()));
        orchestration(builder, "FlakyChild", ctx -> ctx.complete(
                ctx.callActivity("flaky", ctx.getInput(String.class), Integer.class).await()));
        orchestration(builder, "PersistChild", ctx -> ctx.complete(
                ctx.callSubOrchestrator("FlakyChild", ctx.getInput(String.class), null, RETRIES, Integer.class).await()));
        orchestration(builder, "Fragile", ctx -> ctx.callActivity("fail", ctx.getInput(String.class)).await());
        orchestration(builder, "Guarded", ctx -> {
            try {
                ctx.callActivity("fail", ctx.getInput(String.class)).await();
            } catch (TaskFailedException error) {
                ctx.complete("caught " + error.getErrorDetails().getErrorMessage());
            }
        });
    }

    private static void orchestration(DurableTaskGrpcWorkerBuilder builder, String name, TaskOrchestration body) {
        builder.addOrchestration(new TaskOrchestrationFactory() {
            @Override
            public String getName() {
                return name;
            }

            @Override
            public TaskOrchestration create() {
                return body;
            }
        });
    }

    private static void activity(DurableTaskGrpcWorkerBuilder builder, String name, TaskActivity body) {
        builder.addActivity(new TaskActivityFactory() {
            @Override
            public String getName() {
                return name;
            }

            @Override
            public TaskActivity create() {
                return body;
            }
        });
    }

    private Worker() {}
}
