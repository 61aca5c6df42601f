import type { ChannelOptions } from "@grpc/grpc-js";

/** grpc-js channel options, with the traps of grpc-js taken care of. */
export function channelOptions(kind: "emulator" | "scheduler"): ChannelOptions {
  return {
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
    "grpc.primary_user_agent": "fanout",
    // Channels with equal options would share one connection, and with it the server's limit of calls.
    "grpc.use_local_subchannel_pool": 1,
    // `http_proxy` in the environment would capture even loopback: which proxy there is, is for `proxy.ts` to say.
    "grpc.enable_http_proxy": 0,
    "grpc.enable_channelz": 0,
    "grpc.keepalive_time_ms": 30_000,
    "grpc.keepalive_timeout_ms": 20_000,
    // The emulator is started again within a fraction of a second; elsewhere there is no hurry.
    "grpc.initial_reconnect_backoff_ms": kind === "emulator" ? 50 : 500,
    "grpc.max_reconnect_backoff_ms": kind === "emulator" ? 200 : 5_000,
    "grpc.min_reconnect_backoff_ms": kind === "emulator" ? 50 : 500,
    // Calls are made again by fanout itself, which knows which may be.
    "grpc.enable_retries": 0,
    // Nor is it for a record in the name service to say how calls are made.
    "grpc.service_config_disable_resolution": 1,
  };
}
