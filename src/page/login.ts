/**
 * The script of the login page. A browser does not send the cookie of a session when a link of another site is followed, so that
 * somebody who has logged in may come here.
 */
const next = document.querySelector<HTMLInputElement>("input[name=next]")?.value ?? "/";
const { status } = await fetch("/api/v1/session");
if (status === 204) location.replace(next);
