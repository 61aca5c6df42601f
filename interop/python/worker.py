"""The workload of the interop checks, hosted by the Python SDK as its documentation shows: worker.py ADDRESS [PART]."""

import logging
import sys
import threading
from datetime import timedelta

from durabletask import task, worker

address = sys.argv[1]
part = sys.argv[2] if len(sys.argv) > 2 else "all"
attempts: dict[str, int] = {}
lock = threading.Lock()


def attempt(key):
    with lock:
        attempts[key] = attempts.get(key, 0) + 1
        return attempts[key]


def greet(_, name):
    return f"Hello, {name}!"


def square(_, number):
    return number * number


def flaky(_, key):
    """Fails twice for each key."""
    count = attempt(key)
    if count < 3:
        raise RuntimeError(f"attempt {count} of {key}")
    return count


def brittle(_, key):
    """Fails once for each key."""
    if attempt(key) == 1:
        raise RuntimeError(f"{key} is broken")
    return f"{key} is repaired"


def fail(_, order):
    raise ValueError(f"no such order: {order}")


def chain(ctx: task.OrchestrationContext, _):
    greetings = []
    for city in ["Tokyo", "Seattle", "Zürich 🚀"]:
        greetings.append((yield ctx.call_activity(greet, input=city)))
    return greetings


def fan_out(ctx: task.OrchestrationContext, count):
    squares = yield task.when_all([ctx.call_activity(square, input=number) for number in range(1, count + 1)])
    return sum(squares)


def parent(ctx: task.OrchestrationContext, counts):
    return (yield task.when_all([ctx.call_sub_orchestrator("FanOut", input=count) for count in counts]))


def tree(ctx: task.OrchestrationContext, _):
    return (yield ctx.call_sub_orchestrator("Approval", input=3600, instance_id=f"{ctx.instance_id}-child"))


def approval(ctx: task.OrchestrationContext, timeout_seconds):
    approved = ctx.wait_for_external_event("approval")
    timed_out = ctx.create_timer(timedelta(seconds=timeout_seconds))
    winner = yield task.when_any([approved, timed_out])
    return "timed out" if winner == timed_out else f"approved by {approved.get_result()}"


def nap(ctx: task.OrchestrationContext, seconds):
    begun = ctx.current_utc_datetime
    yield ctx.create_timer(timedelta(seconds=seconds))
    return ctx.current_utc_datetime - begun >= timedelta(seconds=seconds)


def count_to_five(ctx: task.OrchestrationContext, number):
    yield ctx.call_activity(square, input=number)
    if number == 5:
        return number
    ctx.continue_as_new(number + 1)


def collect(ctx: task.OrchestrationContext, items):
    items = [*items, (yield ctx.wait_for_external_event("item"))]
    if len(items) == 3:
        return items
    ctx.continue_as_new(items, save_events=True)


def report(ctx: task.OrchestrationContext, _):
    ctx.set_custom_status("halfway")
    yield ctx.wait_for_external_event("go")
    ctx.set_custom_status("there")
    return "done"


def notify(ctx: task.OrchestrationContext, target):
    ctx.send_event(target, "approval", data="a colleague")
    yield ctx.call_activity(square, input=1)
    return "told"


def retries():
    return task.RetryPolicy(first_retry_interval=timedelta(milliseconds=50), max_number_of_attempts=3)


def persist(ctx: task.OrchestrationContext, key):
    return (yield ctx.call_activity(flaky, input=key, retry_policy=retries()))


def flaky_child(ctx: task.OrchestrationContext, key):
    return (yield ctx.call_activity(flaky, input=key))


def persist_child(ctx: task.OrchestrationContext, key):
    return (yield ctx.call_sub_orchestrator("FlakyChild", input=key, retry_policy=retries()))


def fragile(ctx: task.OrchestrationContext, order):
    return (yield ctx.call_activity(fail, input=order))


def guarded(ctx: task.OrchestrationContext, order):
    try:
        yield ctx.call_activity(fail, input=order)
    except task.TaskFailedError as error:
        return f"caught {error.details.message}"


def repairable(ctx: task.OrchestrationContext, key):
    greeting = yield ctx.call_activity(greet, input=key)
    return [greeting, (yield ctx.call_activity(brittle, input=key))]


def echo(ctx: task.OrchestrationContext, text):
    yield ctx.call_activity(square, input=1)
    return text


ORCHESTRATORS = {
    "Chain": chain,
    "FanOut": fan_out,
    "Parent": parent,
    "Tree": tree,
    "Approval": approval,
    "Nap": nap,
    "CountToFive": count_to_five,
    "Collect": collect,
    "Report": report,
    "Notify": notify,
    "Persist": persist,
    "FlakyChild": flaky_child,
    "PersistChild": persist_child,
    "Fragile": fragile,
    "Guarded": guarded,
    "Repairable": repairable,
    "Echo": echo,
}

logging.getLogger("durabletask").setLevel(logging.ERROR)
with worker.TaskHubGrpcWorker(host_address=address) as host:
    # The SDK takes names from functions; its registry takes them as they are, for workers in other languages to match.
    if part != "activities":
        for name, orchestrator in ORCHESTRATORS.items():
            host._registry.add_named_orchestrator(name, orchestrator)
    if part != "orchestrators":
        for activity in [greet, square, flaky, brittle, fail]:
            host.add_activity(activity)
    if part != "all":
        host.use_work_item_filters()
    host.start()
    print("ready", flush=True)
    sys.stdin.read()
