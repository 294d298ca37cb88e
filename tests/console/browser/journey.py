"""The first steps of every journey: somebody of a role signs in through the form."""

from playwright.async_api import Page

from gateway.accounts import store
from gateway.accounts.model import Account, Role
from tests.console.person import PASSWORD, add_user, first_account
from tests.kit.gateway import Gateway


async def enter(
    page: Page, gateway: Gateway, role: Role = "administrator", onward: str = "/console", account: Account | None = None
) -> None:
    """Sign in as somebody of this role, and come to this page of the console."""
    username = await somebody(gateway, role, account)
    await page.goto(f"{gateway.url}{onward}")
    await sign_in(page, username)
    await page.wait_for_url(f"{gateway.url}{onward}")


async def somebody(gateway: Gateway, role: Role, account: Account | None = None) -> str:
    """The name of a user of this role; added where there is none yet."""
    partner = (await first_account(gateway)).partner_id
    username = f"{role}@example.com"
    if await store.user_named(gateway.running.services.runtime.database, partner, username) is None:
        await add_user(gateway, username, role, account)
    return username


async def sign_in(page: Page, username: str, password: str = PASSWORD) -> None:
    """Fill in the form that stands there, and send it."""
    await page.get_by_label("User name").fill(username)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Sign in").click()
