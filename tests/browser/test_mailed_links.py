"""A mailed link opened in a browser that runs no scripts: the page, its button, and what the button did."""

from __future__ import annotations

import re

import pytest
import pytest_asyncio

from tests.support.accounts import new_name
from tests.support.mailbox import text_of
from tests.support.people import PASSWORD, bearer, register, sign_in

pytestmark = pytest.mark.asyncio(loop_scope="module")

NEW_PASSWORD = "another horse battery staple"
_LINK = re.compile(r"http://\S+token=\S+")


async def newest_link(dev, address, *, count=1):
    return _LINK.search(text_of(await dev.mailbox.wait(address, count=count)))[0]


@pytest_asyncio.fixture(loop_scope="module")
async def open_link(device, picture):
    """Opens a link without JavaScript, and pictures what is seen."""

    async def opening(link, *, name, **options):
        context = await device(java_script_enabled=False, viewport={"width": 720, "height": 640}, **options)
        page = await context.new_page()

        await page.goto(link)
        await picture(page, f"{name}-1")
        return page, lambda suffix: picture(page, f"{name}-{suffix}")

    return opening


async def test_the_button_confirms_the_address(dev, api, open_link):
    address = f"{new_name()}@example.com"
    await register(api, address)
    page, picture = await open_link(await newest_link(dev, address), name="verify")
    await page.get_by_role("button", name="Confirm address").click()
    await page.get_by_role("heading", name="Your address is confirmed").wait_for()
    await picture("2")
    assert page.url == f"{dev.url}/email/verify"
    await sign_in(api, address)


async def test_the_form_sets_a_new_password_after_telling_what_is_wrong_with_a_first_one(dev, api, email, open_link):
    await api.post("/v1/password/forgot", json={"email": email})
    page, picture = await open_link(
        await newest_link(dev, email, count=2), name="reset-dark", color_scheme="dark", may_complain=True
    )
    field = page.get_by_label("New password")
    await field.fill("too short")
    await page.get_by_role("button", name="Set password").click()
    await page.get_by_role("alert").get_by_text("Use at least 15 characters.").wait_for()
    await picture("2")
    assert await field.input_value() == ""
    await page.get_by_label("New password").fill(NEW_PASSWORD)
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.get_by_role("heading", name="Your new password is set").wait_for()
    await picture("3")
    await sign_in(api, email, password=NEW_PASSWORD)


async def test_the_button_changes_the_address_and_speaks_german(dev, api, email, open_link):
    new_address = f"{new_name()}@example.com"
    tokens = await sign_in(api, email)
    body = {"new_email": new_address, "password": PASSWORD}
    assert (await api.post("/v1/email/change", json=body, headers=bearer(tokens))).status_code == 202
    page, picture = await open_link(await newest_link(dev, new_address), name="change-de", locale="de-AT")
    await page.get_by_role("button", name="Diese Adresse verwenden").click()
    await page.get_by_role("heading", name="Ihre Adresse ist geändert").wait_for()
    await picture("2")
    await sign_in(api, new_address)


async def test_a_link_that_does_not_work_says_so_on_a_small_screen_too(dev, device, picture):
    context = await device(viewport={"width": 320, "height": 568}, java_script_enabled=False, may_complain=True)
    page = await context.new_page()
    await page.goto(f"{dev.url}/password/reset?token={'A' * 64}")
    await picture(page, "reset-small-1")
    await page.get_by_label("New password").fill(NEW_PASSWORD)
    await page.get_by_role("button", name="Set password").click()
    await page.get_by_role("heading", name="This link does not work").wait_for()
    await picture(page, "dead-small")


async def test_a_keyboard_is_enough_and_focus_can_be_seen(dev, device, picture):
    context = await device(viewport={"width": 720, "height": 640})
    page = await context.new_page()
    await page.goto(f"{dev.url}/email/verify?token={'A' * 64}")
    await page.keyboard.press("Tab")
    button = page.get_by_role("button", name="Confirm address")
    assert await button.evaluate("element => element === document.activeElement")
    assert await button.evaluate("element => getComputedStyle(element).outlineStyle") == "solid"
    await picture(page, "verify-focus")


async def test_no_part_of_a_page_runs_or_loads_anything(dev, device):
    context = await device()
    page = await context.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    link = f"{dev.url}/password/reset?token={'A' * 64}"
    await page.goto(link)
    # A browser asks for an icon of its own accord.
    assert [url for url in asked if not url.endswith("/favicon.ico")] == [link]
    assert await page.evaluate("getComputedStyle(document.querySelector('main')).maxWidth") == "432px"


async def test_clickjacking_a_page_cannot_be_framed_by_another_origin(dev, device):
    context = await device(may_complain=True)
    page = await context.new_page()
    link = f"{dev.url}/email/verify?token={'A' * 64}"
    html = f"<!DOCTYPE html><iframe src='{link}'></iframe>"
    await page.route("**/frame.html", lambda route: route.fulfill(body=html, content_type="text/html"))
    await page.goto(f"http://127.0.0.1:{dev.app_port}/frame.html")
    framed = page.frames[1]
    await framed.wait_for_load_state()
    assert framed.url == "chrome-error://chromewebdata/"
    assert await framed.get_by_role("button", name="Confirm address").count() == 0
