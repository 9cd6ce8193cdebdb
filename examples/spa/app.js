// The page around a session: who is signed in, and the buttons.

import { Problem, Session } from "./session.js";

const $ = (id) => document.getElementById(id);

export const session = new Session(document.querySelector('meta[name="keyturn-service"]').content);

let user = null;
let shown = null;

async function show() {
  $("waiting").hidden = true;
  $("sign-in").hidden = session.isSignedIn;
  $("signed-in").hidden = !session.isSignedIn;
  $("until").textContent = new Date(session.expiresAtMs).toLocaleTimeString();
  if (session.id !== shown) await load();
  $("who").textContent = user?.username ?? user?.email ?? "…";
}

// Who it is, once for each session: another tab may have signed in somebody else.
async function load() {
  const mine = (shown = session.id);
  user = null;
  if (mine === null) return;
  const answer = await session.fetch("/v1/me");
  if (answer.ok && mine === shown) user = await answer.json();
}

// Runs `work` for a button: the button rests meanwhile, and what goes wrong is told.
async function doing(button, work) {
  button.disabled = true;
  try {
    await work();
    $("problem").hidden = true;
  } catch (error) {
    $("problem").textContent = error instanceof Problem ? error.message : "The service cannot be reached. Try again.";
    $("problem").hidden = false;
  } finally {
    button.disabled = false;
  }
}

session.addEventListener("change", () => doing($("refresh"), show));
// Back from the browser's memory: what the other tabs said meanwhile was not heard.
addEventListener("pageshow", ({ persisted }) => persisted && doing($("refresh"), () => session.resume()));

$("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  doing(form.querySelector("button"), async () => {
    await session.signIn(form.identifier.value, form.password.value);
    form.reset();
  });
});
$("refresh").addEventListener("click", ({ target }) => doing(target, () => session.refresh()));
$("sign-out").addEventListener("click", ({ target }) => doing(target, () => session.signOut()));
$("sign-out-everywhere").addEventListener("click", ({ target }) => doing(target, () => session.signOutEverywhere()));

await doing($("refresh"), () => session.resume());
await show();
