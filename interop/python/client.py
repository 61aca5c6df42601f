"""Runs the checks with the Python SDK's client: client.py ADDRESS RUN [MISSING...]. Prints a line for each."""

import json
import sys
import time
from datetime import datetime, timedelta, timezone

import grpc
from durabletask import client as sdk
from durabletask.internal.orchestrator_service_pb2 import OrchestrationIdReusePolicy

address, run, *missing = sys.argv[1:]
Status = sdk.OrchestrationStatus
failed = False


def check(name, body, needs=None):
    """`needs` is what the worker must have."""
    global failed
    if needs in missing:
        print(f"skip {name}: the worker's SDK has no {needs}", flush=True)
        return
    try:
        body(f"{run}-{name.replace(' ', '-')}")
        print(f"ok {name}", flush=True)
    except Exception as error:
        failed = True
        print(f"not ok {name}: {type(error).__name__} {error}".replace("\n", " "), flush=True)


def expect(found, wanted, what="value"):
    if found != wanted:
        raise AssertionError(f"expected {what} {wanted!r}, found {found!r}")


client = sdk.TaskHubGrpcClient(host_address=address)


def start(name, id, input=None):
    expect(client.schedule_new_orchestration(name, input=input, instance_id=id), id, "id")
    return id


def end(id, status=Status.COMPLETED):
    state = client.wait_for_orchestration_completion(id, timeout=30)
    expect(state.runtime_status, status, f"status of {state}")
    return state


def output(state):
    return json.loads(state.serialized_output)


def outcome(name, id, input, wanted):
    expect(output(end(start(name, id, input))), wanted, "output")


def until(read):
    """What is read once there is something; AssertionError after 30 s."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if (found := read()) is not None:
            return found
        time.sleep(0.01)
    raise AssertionError("expected something within 30 s")


def times_out(id):
    try:
        client.wait_for_orchestration_completion(id, timeout=0.5)
    except TimeoutError:
        return
    raise AssertionError(f"expected {id} not to end")


def approved(id):
    start("Approval", id, 600)
    client.wait_for_orchestration_start(id, timeout=30)
    client.raise_orchestration_event(id, "approval", data="Ada")
    expect(output(end(id)), "approved by Ada")


def collected(id):
    start("Collect", id, [])
    for item in ["a", "b", "c"]:
        client.raise_orchestration_event(id, "item", data=item)
    expect(output(end(id)), ["a", "b", "c"])


def custom_status(id):
    start("Report", id)
    status = until(lambda: client.get_orchestration_state(id).serialized_custom_status)
    # One SDK encodes it as JSON, another does not.
    expect("halfway" in status, True, status)
    client.raise_orchestration_event(id, "go")
    state = end(id)
    expect("there" in state.serialized_custom_status, True, state.serialized_custom_status)


def notified(id):
    start("Approval", id, 600)
    outcome("Notify", f"{id}-by", id, "told")
    expect(output(end(id)), "approved by a colleague")


def failure(id):
    state = end(start("Fragile", id, "7"), Status.FAILED)
    expect("no such order: 7" in state.failure_details.message, True, state.failure_details.message)


def guarded(id):
    text = output(end(start("Guarded", id, "8")))
    expect(text.startswith("caught") and "no such order: 8" in text, True, text)


def terminated(id):
    start("Approval", id, 600)
    client.terminate_orchestration(id, output="enough")
    expect(output(end(id, Status.TERMINATED)), "enough")


def terminated_tree(id):
    start("Tree", id)
    until(lambda: client.get_orchestration_state(f"{id}-child"))
    client.terminate_orchestration(id, recursive=True)
    end(id, Status.TERMINATED)
    end(f"{id}-child", Status.TERMINATED)


def suspended(id):
    start("Approval", id, 600)
    client.wait_for_orchestration_start(id, timeout=30)
    client.suspend_orchestration(id, reason="lunch")
    client.raise_orchestration_event(id, "approval", data="Grace")
    times_out(id)
    expect(client.get_orchestration_state(id).runtime_status, Status.SUSPENDED)
    client.resume_orchestration(id)
    expect(output(end(id)), "approved by Grace")


def scheduled(id):
    begun = datetime.now(timezone.utc)
    client.schedule_new_orchestration("Chain", instance_id=id, start_at=begun + timedelta(seconds=1))
    expect(client.get_orchestration_state(id).runtime_status, Status.PENDING)
    end(id)
    expect(datetime.now(timezone.utc) - begun >= timedelta(seconds=1), True, "a second's wait")


def refused_twice(id):
    start("Approval", id, 600)
    try:
        start("FanOut", id, 3)
    except grpc.RpcError as error:
        expect(error.code(), grpc.StatusCode.ALREADY_EXISTS)
        return
    raise AssertionError("expected the second start to be refused")


def started_again(id):
    """Without a policy an id is free once its instance has ended."""
    outcome("FanOut", id, 2, 5)
    outcome("FanOut", id, 3, 14)


def replaced(id):
    """An id is free again for whoever names its status in a policy."""
    outcome("FanOut", id, 2, 5)
    for statuses, accepted in [([Status.FAILED], False), ([Status.FAILED, Status.COMPLETED], True)]:
        policy = OrchestrationIdReusePolicy(replaceableStatus=[status.value for status in statuses])
        try:
            client.schedule_new_orchestration("FanOut", input=3, instance_id=id, reuse_id_policy=policy)
            expect(True, accepted, "the start to be accepted")
        except grpc.RpcError as error:
            expect((error.code(), accepted), (grpc.StatusCode.ALREADY_EXISTS, False))
    expect(output(end(id)), 14)


def apart(id):
    outcome("FanOut", id, 2, 5)
    with sdk.TaskHubGrpcClient(host_address=address, metadata=[("taskhub", "another")]) as other:
        expect(other.get_orchestration_state(id), None)
        other.schedule_new_orchestration("FanOut", input=3, instance_id=id)
        expect(other.get_orchestration_state(id).runtime_status, Status.PENDING)
        expect(output(client.get_orchestration_state(id)), 5)


def rewound(id):
    end(start("Repairable", id, id), Status.FAILED)
    client.rewind_orchestration(id, reason="mended")
    expect(output(end(id)), [f"Hello, {id}!", f"{id} is repaired"])


def restarted(id):
    end(start("FanOut", id, 3))
    again = client.restart_orchestration(id, restart_with_new_instance_id=True)
    expect(again != id, True, "a new id")
    expect(output(end(again)), 14)


def history(id):
    end(start("Chain", id))
    kinds = [type(event).__name__ for event in client.get_orchestration_history(id)]
    for kind, count in {"ExecutionStartedEvent": 1, "TaskCompletedEvent": 3, "ExecutionCompletedEvent": 1}.items():
        expect(kinds.count(kind), count, f"number of {kind} in {kinds}")


def queried(id):
    for number in range(1, 6):
        start("FanOut", f"{id}-{number}", number)
    for number in range(1, 6):
        end(f"{id}-{number}")
    query = sdk.OrchestrationQuery(
        instance_id_prefix=f"{id}-", runtime_status=[Status.COMPLETED], max_instance_count=2, fetch_inputs_and_outputs=True
    )
    states = client.get_all_orchestration_states(query)
    expect(sorted(output(state) for state in states), [1, 5, 14, 30, 55])


def listed(id):
    begun = datetime.now(timezone.utc)
    for number in range(1, 4):
        end(start("FanOut", f"{id}-{number}", number))
    found, token = [], None
    while True:
        page = client.list_instance_ids([Status.COMPLETED], begun, page_size=2, continuation_token=token)
        found += page.items
        token = page.continuation_token
        if token is None:
            break
    expect(sorted(found), [f"{id}-{number}" for number in range(1, 4)])


def purged(id):
    end(start("Chain", id))
    expect(client.purge_orchestration(id).deleted_instance_count, 1)
    expect(client.get_orchestration_state(id), None)


def purged_by_filter(id):
    begun = datetime.now(timezone.utc)
    end(start("Chain", id))
    start("Approval", f"{id}-open", 600)
    result = client.purge_orchestrations_by(begun, datetime.now(timezone.utc), [Status.COMPLETED])
    expect(result.deleted_instance_count, 1)
    expect(client.get_orchestration_state(id), None)
    client.terminate_orchestration(f"{id}-open")
    end(f"{id}-open", Status.TERMINATED)


check("activity chain", lambda id: outcome("Chain", id, None, ["Hello, Tokyo!", "Hello, Seattle!", "Hello, Zürich 🚀!"]))
check("fan-out and fan-in", lambda id: outcome("FanOut", id, 30, 9455))
check("sub-orchestrations", lambda id: outcome("Parent", id, [2, 3, 4], [5, 14, 30]))
check("external event", approved)
check("event or timer", lambda id: outcome("Approval", id, 1, "timed out"))
check("timer", lambda id: outcome("Nap", id, 1, True))
check("continue-as-new", lambda id: outcome("CountToFive", id, 1, 5))
check("events kept by continue-as-new", collected, "exact carry-over")
check("custom status", custom_status)
check("event from an orchestration", notified, "send event")
check("retry of an activity", lambda id: outcome("Persist", id, id, 3), "retry")
check("retry of a sub-orchestration", lambda id: outcome("PersistChild", id, id, 3), "retry")
check("failure", failure)
check("failure caught", guarded)
check("terminate", terminated)
check("recursive terminate", terminated_tree)
check("suspend and resume", suspended)
check("scheduled start", scheduled)
check("the same id twice", refused_twice)
check("the id of what has ended", started_again)
check("an id used again", replaced)
check("task hubs are apart", apart)
check("rewind", rewound, "rewind")
check("restart", restarted)
check("history", history)
check("query in pages", queried)
check("list of ids", listed)
check("purge", purged)
check("purge by filter", purged_by_filter)
# Python writes six bytes for each letter: less than the megabyte that a Scheduler takes.
check("a large payload", lambda id: outcome("Echo", id, "é" * 160_000, "é" * 160_000))
check("nothing there", lambda id: expect(client.get_orchestration_state(id), None))
sys.exit(1 if failed else 0)
