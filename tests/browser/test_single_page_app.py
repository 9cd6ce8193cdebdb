"""The example app in Chromium: signed in across tabs and reloads, with nothing that a script could carry away."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
import pytest_asyncio

from tests.browser.tab import Tab
from tests.support.people import bearer, sign_in

pytestmark = pytest.mark.asyncio(loop_scope="module")

COOKIE = "__Host-keyturn_refresh"
STORED = """() => JSON.stringify([
    document.cookie, Object.entries(localStorage), Object.entries(sessionStorage), location.href, history.state
])"""
# The module that the page runs: the same instance.
ACCESS = "async () => (await import('/app.js')).session.isSignedIn"
FETCH_MANY = """async (count) => {
    const { session } = await import('/app.js');
    const answers = await Promise.all(Array.from({ length: count }, () => session.fetch('/v1/me')));
    return answers.map((answer) => answer.status);
}"""
# When the access token ends, to the millisecond: the same in two tabs only where one got it from the other.
UNTIL = "async () => (await import('/app.js')).session.expiresAtMs"
REFRESH = """async () => {
    const { session } = await import('/app.js');
    await session.refresh();
    return session.expiresAtMs;
}"""
BOTH_HAVE_BEGUN = """async () => {
    const { held, pending } = await navigator.locks.query();
    return held.length + pending.length > 1;
}"""
# Both tabs begin at the same moments: in each round the first refresh rotates, and all others come in the midst of it.
REFRESH_MANY = """async ([rounds, pauseMs]) => {
    const { session } = await import('/app.js');
    for (let round = 0; round < rounds; round++) {
        await new Promise((done) => setTimeout(done, pauseMs - (Date.now() % pauseMs)));
        await Promise.all(Array.from({ length: 4 }, () => session.refresh()));
        for (let i = 0; i < 4; i++) await session.refresh();
    }
    return session.isSignedIn;
}"""


async def refresh_cookies(context):
    return [cookie for cookie in await context.cookies() if cookie["name"] == COOKIE]


@pytest_asyncio.fixture(loop_scope="module")
async def open_tab(dev):
    async def opening(context, *, host="127.0.0.1"):
        tab = Tab(await context.new_page())
        await tab.page.goto(f"http://{host}:{dev.app_port}/")
        return tab

    return opening


@pytest_asyncio.fixture(loop_scope="module")
async def tabs(device, open_tab, email):
    """Two tabs of one browser in which somebody has signed in. A page that finds no cookie is told 401 once."""
    context = await device(may_complain=True)
    first = await open_tab(context)
    await first.fill_in(email)
    assert await first.is_signed_in()
    second = await open_tab(context)
    assert await second.is_signed_in()
    return first, second


@pytest.fixture
def hold_refreshes():
    """Lets no refresh of the tabs reach the service until both tabs have begun one: it has its lock, or is in line."""

    @asynccontextmanager
    async def holding(tabs):
        let_go = asyncio.Event()

        async def hold(route):
            await let_go.wait()
            await route.continue_()

        async def until_both_have_begun():
            await tabs[0].page.wait_for_function(BOTH_HAVE_BEGUN)

        context = tabs[0].page.context
        for tab in tabs:
            tab.asked.clear()
        await context.route("**/v1/refresh", hold)
        yield SimpleNamespace(until_both_have_begun=until_both_have_begun)
        let_go.set()

    return holding


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_reload_keeps_somebody_signed_in_with_nothing_for_a_script_to_read(
    device, open_tab, email, picture, host
):
    context = await device(may_complain=True, viewport={"width": 720, "height": 640})
    tab = await open_tab(context, host=host)
    assert await tab.is_signed_out()
    await picture(tab.page, "app-1")
    await tab.fill_in(email)
    assert await tab.is_signed_in()
    await tab.page.get_by_text(email).wait_for()
    await picture(tab.page, "app-2")
    await tab.page.reload()
    assert await tab.is_signed_in()
    stored = await tab.page.evaluate(STORED)
    assert "ktr_" not in stored
    assert "eyJ" not in stored
    assert stored.startswith('["",[],[],')
    (cookie,) = await refresh_cookies(context)
    assert (cookie["httpOnly"], cookie["secure"], cookie["sameSite"], cookie["path"]) == (True, True, "Strict", "/")
    assert cookie["domain"] == host


async def test_an_app_on_another_site_than_the_service_gets_no_cookie(dev, device, email):
    """127.0.0.1 and localhost are two sites, though one machine: SameSite=Strict holds the cookie back."""
    context = await device(may_complain=True)
    page = await context.new_page()
    await page.goto(f"http://localhost:{dev.app_port}/of-another-site")
    tab = Tab(page)
    await tab.fill_in(email)
    assert await tab.is_signed_in()
    await page.reload()
    assert await tab.is_signed_out()
    assert await refresh_cookies(context) == []


async def test_two_tabs_that_refresh_at_once_stay_signed_in_with_one_successor_each_time(tabs, api, email):
    first, second = tabs
    successors = []
    for tab in tabs:
        tab.page.on("response", lambda answer: answer.url.endswith("/v1/refresh") and successors.append(answer))
    still = await asyncio.gather(*(tab.page.evaluate(REFRESH_MANY, [4, 1200]) for tab in tabs))
    assert still == [True, True]
    assert {answer.status for answer in successors} == {200}
    times = [(answer.request.timing["startTime"], answer) for answer in successors]
    cookies = [await answer.header_value("set-cookie") for _, answer in sorted(times, key=lambda one: one[0])]
    tokens = [cookie.partition(";")[0].partition("=")[2] for cookie in cookies]
    rotations = [token for token, before in zip(tokens, ["", *tokens], strict=False) if token != before]
    # The service rotates once a second; a token that came back after another would be a second successor.
    assert len(rotations) >= 3
    assert len(rotations) == len(set(rotations))
    assert {first.asked.count("logout"), second.asked.count("logout")} == {0}
    elsewhere = await sign_in(api, email)
    user_id = (await api.get("/v1/me", headers=bearer(elsewhere))).json()["user_id"]
    listed = (await api.get(f"/v1/users/{user_id}/sessions", headers=bearer(elsewhere))).json()["sessions"]
    assert len(listed) == 2
    for tab in tabs:
        await tab.page.reload()
        assert await tab.is_signed_in()


async def test_many_requests_that_are_refused_at_once_cost_one_refresh(tabs):
    first, second = tabs
    refused = 0

    async def refuse_the_first_ones(route):
        nonlocal refused
        if "Authorization" in await route.request.all_headers() or refused >= 8:
            await route.continue_()
            return
        refused += 1
        origin = await route.request.header_value("origin")
        await route.fulfill(status=401, json={}, headers={"Access-Control-Allow-Origin": origin})

    for tab in tabs:
        tab.asked.clear()
        await tab.page.route("**/v1/me", refuse_the_first_ones)
    statuses = await first.page.evaluate(FETCH_MANY, 8)
    assert statuses == [200] * 8
    assert refused == 8
    assert first.asked == ["refresh"]
    assert second.asked == []
    assert await second.page.evaluate(FETCH_MANY, 2) == [200, 200]
    assert second.asked == []


async def test_two_tabs_that_refresh_at_once_cost_one_flight_and_share_what_it_brings(tabs, hold_refreshes):
    first, second = tabs
    before = await first.page.evaluate(UNTIL)
    assert await second.page.evaluate(UNTIL) == before
    async with hold_refreshes(tabs) as held:
        refreshing = [asyncio.create_task(tab.page.evaluate(REFRESH)) for tab in tabs]
        await held.until_both_have_begun()
    until = await asyncio.gather(*refreshing)
    assert sorted(first.asked + second.asked) == ["refresh"]
    assert until[0] == until[1] != before


async def test_a_token_is_replaced_before_it_expires_by_one_tab_for_both(tabs, hold_refreshes):
    first, second = tabs
    # One clock for all tabs of the context; a page that is loaded on it sets its timers by it.
    await first.page.clock.install()
    for tab in tabs:
        await tab.page.reload()
        assert await tab.is_signed_in()
        tab.asked.clear()
    before = {await tab.page.evaluate(UNTIL) for tab in tabs}
    await first.page.clock.fast_forward(225_000)
    assert first.asked + second.asked == []
    async with hold_refreshes(tabs) as held:
        await first.page.clock.fast_forward(20_000)
        await held.until_both_have_begun()
    # Each page load has set a time of its own before, and the other tab hears of it a moment later.
    async with asyncio.timeout(15):
        while len(until := {await tab.page.evaluate(UNTIL) for tab in tabs}) > 1 or until & before:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert sorted(first.asked + second.asked) == ["refresh"]


async def test_signing_out_in_one_tab_signs_out_the_other(tabs):
    first, second = tabs
    await first.press("Sign out")
    assert await first.is_signed_out()
    assert await second.is_signed_out()
    assert await second.page.evaluate(ACCESS) is False
    assert await refresh_cookies(second.page.context) == []
    await second.page.reload()
    assert await second.is_signed_out()


async def test_signing_in_in_one_tab_signs_in_the_other(tabs, email):
    first, second = tabs
    await first.press("Sign out")
    assert await second.is_signed_out()
    second.asked.clear()
    await first.fill_in(email)
    assert await second.is_signed_in()
    assert second.asked == []


async def test_signing_out_everywhere_ends_the_sessions_of_other_devices(tabs, device, open_tab, email):
    elsewhere = await open_tab(await device(may_complain=True))
    await elsewhere.fill_in(email)
    assert await elsewhere.is_signed_in()
    await tabs[0].press("Sign out on all devices")
    assert await tabs[0].is_signed_out()
    assert await tabs[1].is_signed_out()
    await elsewhere.press("Refresh now")
    assert await elsewhere.is_signed_out()


async def test_a_session_that_was_ended_elsewhere_is_over_in_both_tabs_at_the_next_refresh(tabs, api, email):
    first, second = tabs
    elsewhere = await sign_in(api, email)
    assert (await api.post("/v1/logout-all", headers=bearer(elsewhere))).status_code == 204
    await first.press("Refresh now")
    assert await first.is_signed_out()
    assert await second.is_signed_out()


async def test_a_service_that_is_away_signs_nobody_out(tabs):
    first, second = tabs
    await first.page.route("**/v1/refresh", lambda route: route.abort())
    await first.page.route("**/v1/logout", lambda route: route.abort())
    for button in ("Refresh now", "Sign out"):
        async with first.page.expect_event("requestfailed"):
            await first.press(button)
        await first.page.get_by_role("alert").get_by_text("The service cannot be reached.").wait_for()
        assert await first.is_signed_in()
    await first.page.unroute_all()
    await second.press("Refresh now")
    assert await second.is_signed_in()


async def test_a_wrong_password_is_told_and_may_be_corrected(device, open_tab, email, picture):
    tab = await open_tab(await device(may_complain=True, color_scheme="dark", viewport={"width": 720, "height": 640}))
    await tab.fill_in(email, password="not the password at all")
    await tab.page.get_by_role("alert").get_by_text("The identifier or the password is not right.").wait_for()
    await picture(tab.page, "app-refused")
    await tab.fill_in(email)
    assert await tab.is_signed_in()
    assert await tab.page.get_by_role("alert").count() == 0
