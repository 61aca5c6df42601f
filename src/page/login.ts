/**
 * The script of the login page. A browser does not send the cookie of a session when a link of another site is followed, so that
 * somebody who has logged in may come here.
 */
const form = document.querySelector<HTMLFormElement>("form.login");
// The browser keeps the fragment, such as a plan, where the answer leads on.
if (form !== null) form.action = form.getAttribute("action") + location.hash;
const next = document.querySelector<HTMLInputElement>("input[name=next]")?.value ?? "/";
const { status } = await fetch("/api/v1/session");
if (status === 204) location.replace(next + location.hash);
