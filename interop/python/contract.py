"""The orchestration of `fanout run` and its activity, without what fanout has over the contract: contract.py ADDRESS."""

import logging
import sys

from durabletask import task, worker


def fan_out_fan_in(ctx: task.OrchestrationContext, input):
    iterations, parallel = input["iterations"], input["parallelActivities"]
    begun = ctx.current_utc_datetime
    results = []
    for iteration in range(iterations):
        places = [{"iterationNumber": iteration, "activityNumber": number} for number in range(parallel)]
        results += yield task.when_all([ctx.call_activity("FanOutFanInActivity", input=place) for place in places])
    spent = sum(result["processingTimeMs"] for result in results)
    return {
        "totalActivities": len(results),
        "elapsedTimeMs": round((ctx.current_utc_datetime - begun).total_seconds() * 1000),
        "averageActivityTimeMs": round(spent / len(results)),
        "results": results,
    }


def fan_out_fan_in_activity(_, place):
    return {**place, "processingTimeMs": 0, "output": "Hello World"}


logging.getLogger("durabletask").setLevel(logging.ERROR)
with worker.TaskHubGrpcWorker(host_address=sys.argv[1]) as host:
    host._registry.add_named_orchestrator("FanOutFanInOrchestration", fan_out_fan_in)
    host._registry.add_named_activity("FanOutFanInActivity", fan_out_fan_in_activity)
    host.start()
    print("ready", flush=True)
    sys.stdin.read()
