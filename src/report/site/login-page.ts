import { markup } from "../html/markup.js";
import { sitePage } from "./site-page.js";

export const LOGIN_SCRIPT_PATH = "/site/login.js";

/** The form that trades the key for a session. It works without a script. */
export function loginPage({ next, trouble }: { readonly next: string; readonly trouble?: string | undefined }): string {
  const isWrong = trouble !== undefined;
  return sitePage({
    title: "Log in",
    script: LOGIN_SCRIPT_PATH,
    body: markup`<h1>Log in</h1>
<form class="login" method="post" action="/login">
<input type="hidden" name="next" value="${next}">
<input type="text" name="username" value="fanout" autocomplete="username" hidden>
<div><label for="key">API key</label>
<input type="password" id="key" name="key" autocomplete="current-password" required autofocus aria-describedby="${isWrong ? "trouble about" : "about"}"${isWrong ? markup` aria-invalid="true"` : undefined}></div>
${isWrong ? markup`<p class="bad" id="trouble" role="alert">${trouble}</p>\n` : undefined}<p class="note" id="about">The key that the server was started with (<code>FANOUT_API_KEY</code>). The session ends after 12 hours.</p>
<p><button class="main" type="submit">Log in</button></p>
</form>
`,
  });
}
