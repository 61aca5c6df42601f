import type { FastifyInstance } from "fastify";
import { liveStyle } from "../report/html/live-shell.js";
import { addAsset, addScript } from "./page-response.js";

/** Serves the script and the style of the page of a run in this folder, which has a slash at the end. */
export async function addLiveAssets(app: FastifyInstance, folder: string, baseStyle: string): Promise<void> {
  addAsset(app, `${folder}live.css`, "text/css", await liveStyle(baseStyle));
  await addScript(app, `${folder}live.js`, "live.js");
}
