// One session for all tabs of this origin. The access token is in memory, the refresh token in a cookie that no script
// can read; see docs/browser.md.

const LOCK = "keyturn-session";
const CHANNEL = "keyturn-session";
// Refresh when this much of the token's life is left: time for a slow answer and a second try. The tabs do not all wake
// at once; should two ask within a moment, before the news is round, the service gives both the same refresh token.
const EARLY_MS = 60_000;
const SPREAD_MS = 10_000;
const RETRY_MS = 5_000;

// An answer of the service that is not a success: its RFC 9457 problem, with `code` to compare and `message` to show.
export class Problem extends Error {
  constructor(status, body) {
    super(body.title ?? "Something went wrong.");
    this.status = status;
    this.code = body.code ?? "unknown";
    this.errors = body.errors ?? [];
  }
}

// Fires "change" whenever somebody is signed in, refreshed or signed out, in this tab or in another.
export class Session extends EventTarget {
  #service;
  #access = null; // { token, sessionId, expiresAtMs, lifeMs }
  #channel = new BroadcastChannel(CHANNEL);
  #echo = new BroadcastChannel(CHANNEL);
  #timer = 0;

  constructor(service) {
    super();
    this.#service = service;
    this.#channel.onmessage = ({ data }) => this.#become(data);
  }

  get isSignedIn() {
    return this.#access !== null;
  }

  get id() {
    return this.#access?.sessionId ?? null;
  }

  get expiresAtMs() {
    return this.#access?.expiresAtMs ?? 0;
  }

  async signIn(identifier, password) {
    // Under the lock, so that a refresh of the session before cannot write its cookie over the new one.
    await this.#alone(async () => {
      await this.#grant(await this.#post("/v1/login", { identifier, password, transport: "cookie" }));
    });
  }

  // At the start of a page: whether the cookie of an earlier visit still works.
  async resume() {
    await this.refresh();
    return this.isSignedIn;
  }

  // A fresh access token for all tabs, from one request: who waited for the lock finds what the one before got.
  // `stale` is the access token that shall be replaced.
  async refresh(stale = this.#access?.token) {
    await this.#alone(async () => {
      const wasReplaced = this.#access !== null && this.#access.token !== stale;
      const wasSignedOut = this.#access === null && stale !== undefined;
      if (wasReplaced || wasSignedOut) return;
      try {
        await this.#grant(await this.#post("/v1/refresh"));
      } catch (problem) {
        // Only a refusal means signed out. A service or a network that is away says nothing about the session.
        if (problem.code !== "invalid_grant") throw problem;
        await this.#tell(null);
      }
    });
  }

  // A request to `path` as the user. On 401 it is tried once more with a fresh token.
  async fetch(path, init = {}) {
    const token = this.#access?.token;
    const answer = await this.#send(path, init, token);
    if (answer.status !== 401 || token === undefined) return answer;
    await this.refresh(token);
    return this.isSignedIn ? this.#send(path, init, this.#access.token) : answer;
  }

  // Ends this session in all tabs. Throws where the service could not be told: then nobody is signed out.
  async signOut() {
    await this.#alone(async () => {
      await this.#post("/v1/logout");
      await this.#tell(null);
    });
  }

  // Ends the sessions of all devices.
  async signOutEverywhere() {
    const answer = await this.fetch("/v1/logout-all", { method: "POST" });
    // 401 after a refresh that was refused: there is no session left to end.
    if (!answer.ok && answer.status !== 401) throw await problemOf(answer);
    await this.signOut();
  }

  #alone(work) {
    return navigator.locks.request(LOCK, work);
  }

  #grant({ access_token, session_id, expires_in }) {
    const lifeMs = expires_in * 1000;
    return this.#tell({ token: access_token, sessionId: session_id, expiresAtMs: Date.now() + lifeMs, lifeMs });
  }

  // Waits until it hears its own news, as the other tabs do: the lock is let go of when they know, not before.
  async #tell(access) {
    const heard = new Promise((done) => (this.#echo.onmessage = done));
    this.#channel.postMessage(access);
    this.#become(access);
    await heard;
  }

  #become(access) {
    this.#access = access;
    this.#plan();
    this.dispatchEvent(new Event("change"));
  }

  #plan(atLeastMs = 0) {
    clearTimeout(this.#timer);
    if (this.#access === null) return;
    const { token, expiresAtMs, lifeMs } = this.#access;
    // Never before half of its life, or a short one would be refreshed without end.
    const earlyMs = Math.min(EARLY_MS + Math.random() * SPREAD_MS, lifeMs / 2);
    const waitMs = Math.max(expiresAtMs - earlyMs - Date.now(), atLeastMs, 0);
    this.#timer = setTimeout(() => this.refresh(token).catch(() => this.#plan(RETRY_MS)), waitMs);
  }

  async #post(path, body) {
    const init = { method: "POST", headers: { "X-Keyturn-Request": "1" }, credentials: "include" };
    if (body !== undefined) {
      init.headers["Content-Type"] = "application/json";
      init.body = JSON.stringify(body);
    }
    const answer = await fetch(this.#service + path, init);
    if (!answer.ok) throw await problemOf(answer);
    return answer.status === 204 ? null : answer.json();
  }

  #send(path, init, token) {
    const headers = new Headers(init.headers);
    if (token !== undefined) headers.set("Authorization", `Bearer ${token}`);
    // The cookie is for refreshing alone; nothing else needs it.
    return fetch(this.#service + path, { ...init, headers, credentials: "omit" });
  }
}

async function problemOf(answer) {
  return new Problem(answer.status, await answer.json().catch(() => ({})));
}
