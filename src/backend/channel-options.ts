import type { ChannelOptions } from "@grpc/grpc-js";

/** The options of a grpc-js channel that avoid the pitfalls of grpc-js. */
export function channelOptions(kind: "emulator" | "scheduler"): ChannelOptions {
  return {
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
    "grpc.primary_user_agent": "fanout",
    // Channels with equal options would share one connection, and with it the server's limit of calls.
    "grpc.use_local_subchannel_pool": 1,
    // grpc-js would use `http_proxy` even for loopback. `proxy.ts` decides which proxy there is.
    "grpc.enable_http_proxy": 0,
    "grpc.enable_channelz": 0,
    "grpc.keepalive_time_ms": 30_000,
    "grpc.keepalive_timeout_ms": 20_000,
    // The emulator restarts within a fraction of a second. Other backends take longer.
    "grpc.initial_reconnect_backoff_ms": kind === "emulator" ? 50 : 500,
    "grpc.max_reconnect_backoff_ms": kind === "emulator" ? 200 : 5_000,
    "grpc.min_reconnect_backoff_ms": kind === "emulator" ? 50 : 500,
    // fanout repeats calls itself, because it knows which calls may be repeated.
    "grpc.enable_retries": 0,
    // A record in the name service must not configure the calls.
    "grpc.service_config_disable_resolution": 1,
  };
}
