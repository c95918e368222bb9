"""What all pages of resources have: the way to them, who looks, and what they may do there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from bzz.explorer.addresses import Address, step_urls
from bzz.explorer.site import Site, listable, site_of
from bzz.explorer.wording import label
from bzz.model.authorize import may
from bzz.model.path import allowed_methods
from bzz.model.resource import Resource
from bzz.model.rights import needed

__all__ = ["Crumb", "Page", "page_of"]


@dataclass(frozen=True)
class Crumb:
    """One part of the way to a page."""

    text: str
    href: str


@dataclass
class Page:
    """A page of one resource, for one request.

    :ivar address: of the request.
    :ivar menu: the resources that the reader may list.
    :ivar methods: those that its path takes, and ``authorize`` lets the reader use.
    :ivar token: what a form has to send back in its body, where the application has ``xsrf_cookies``.
    """

    handler: Any
    site: Site
    resource: Resource
    address: Address
    crumbs: list[Crumb]
    menu: list[Resource]
    methods: list[str] = field(default_factory=list)
    token: str = ""

    @property
    def user(self) -> str:
        """Who is signed in; empty if nobody is known."""
        return user_of(self.handler)

    @property
    def sign_in(self) -> str:
        """Where people sign in; empty where the application does not say."""
        return sign_in_of(self.handler)

    @property
    def title(self) -> str:
        """The words of the last part of the way to it."""
        return self.crumbs[-1].text

    @property
    def list_url(self) -> str:
        """The URL of the list that holds the document of this page, or this list's own."""
        step = self.handler.path.last
        return self.crumbs[-2].href if step.key is not None else self.crumbs[-1].href

    @property
    def url(self) -> str:
        """The URL of this page without parameters."""
        return self.crumbs[-1].href

    def absolute_url(self) -> str:
        """The whole URL of its JSON twin, for other clients."""
        request = self.handler.request
        query = self.address.query
        return f"{request.protocol}://{request.host}{self.url}" + (f"?{query}" if query else "")

    def action(self, method: str, **more: str) -> str:
        """Return the URL to which a form is sent that means ``method``."""
        meant = {"_method": method, **more}
        return f"{self.url}?{urlencode({name: each for name, each in meant.items() if each})}"


async def page_of(handler: Any, address: Address) -> Page:
    """Return what every page shows, for a request that has passed the guard."""
    resource = handler.resource
    crumbs = [Crumb(text, href) for text, href in step_urls(resource.url, handler.path)]
    crumbs[0] = Crumb(label(resource.name), crumbs[0].href)
    site = site_of(handler.application)
    page = Page(handler, site, resource, address, crumbs, await listable(site, handler))
    step = handler.path.last
    for method in allowed_methods(handler.path, resource.methods):
        needs = needed(handler.path, method)
        is_of_form = method in ("POST", "PUT", "DELETE") or (method == "PATCH" and not step.is_list)
        if is_of_form and await may(resource, method, step.shape.model, step.key, handler, needs):
            page.methods.append(method)
    if page.methods:
        page.token = token_of(handler)
    return page


def token_of(handler: Any) -> str:
    """Return the token that a form has to send back; empty unless the application has ``xsrf_cookies``."""
    return handler.xsrf_token.decode() if handler.settings.get("xsrf_cookies") else ""


def user_of(handler: Any) -> str:
    """Return the name of who is signed in, as far as there is one."""
    user = handler.current_user
    if not user:
        return ""
    if isinstance(user, dict):
        return str(user.get("name") or user.get("email") or user.get("id") or "")
    return str(getattr(user, "name", None) or getattr(user, "email", None) or user)


def sign_in_of(handler: Any) -> str:
    """Return the application's ``login_url``, with this page as ``next``; empty if it has none."""
    found = handler.settings.get("login_url")
    if not found:
        return ""
    return f"{found}{'&' if '?' in found else '?'}next={quote(handler.request.uri, safe='')}"
