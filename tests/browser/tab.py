"""A tab of the example app, as its user sees it."""

from __future__ import annotations

from tests.support.people import PASSWORD

SIGNED_IN = "#signed-in:not([hidden])"
SIGNED_OUT = "#sign-in:not([hidden])"


class Tab:
    """One tab of the app, with what it has asked the service."""

    def __init__(self, page):
        self.page = page
        self.asked = []
        page.on("request", self._note)

    def _note(self, request):
        if request.method == "POST":
            self.asked.append(request.url.rpartition("/v1/")[2])

    async def fill_in(self, email, password=PASSWORD):
        await self.page.get_by_label("E-mail address or username").fill(email)
        await self.page.get_by_label("Password").fill(password)
        await self.page.get_by_role("button", name="Sign in").click()

    async def is_signed_in(self):
        await self.page.locator(SIGNED_IN).wait_for()
        return True

    async def is_signed_out(self):
        await self.page.locator(SIGNED_OUT).wait_for()
        return True

    async def press(self, name):
        await self.page.get_by_role("button", name=name, exact=True).click()
