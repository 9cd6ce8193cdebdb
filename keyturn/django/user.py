"""The caller as ``request.user``: what Django and its libraries ask of one, answered from the token alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from keyturn.django.conf import permissions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from keyturn.principal import Principal


class _Asked:
    """The questions of Django's ``async`` code, with the same answers."""

    has_perm: Callable[..., bool]
    has_perms: Callable[..., bool]
    has_module_perms: Callable[[str], bool]
    get_all_permissions: Callable[..., set[str]]

    async def ahas_perm(self, perm: str, obj: object = None) -> bool:
        """``has_perm``."""
        return self.has_perm(perm, obj)

    async def ahas_perms(self, perm_list: Iterable[str], obj: object = None) -> bool:
        """``has_perms``."""
        return self.has_perms(perm_list, obj)

    async def ahas_module_perms(self, app_label: str) -> bool:
        """``has_module_perms``."""
        return self.has_module_perms(app_label)

    async def aget_all_permissions(self, obj: object = None) -> set[str]:
        """``get_all_permissions``."""
        return self.get_all_permissions(obj)


@dataclass(frozen=True)
class PrincipalUser(_Asked):
    """No row of a database and no password: it lives as long as the request. Never staff, never a superuser."""

    principal: Principal

    is_authenticated: ClassVar[bool] = True
    is_anonymous: ClassVar[bool] = False
    is_active: ClassVar[bool] = True
    is_staff: ClassVar[bool] = False
    is_superuser: ClassVar[bool] = False

    @property
    def pk(self) -> str:
        """The subject."""
        return self.principal.subject

    @property
    def id(self) -> str:
        """The subject."""
        return self.principal.subject

    @property
    def username(self) -> str:
        """The subject: the token tells no name."""
        return self.principal.subject

    def get_username(self) -> str:
        """The subject."""
        return self.principal.subject

    def has_perm(self, perm: str, obj: object = None) -> bool:
        """Whether the token holds the scope that stands for ``perm``: of the setting, or of the same name.

        About one object a scope says nothing: with ``obj`` the answer is no. Ask ``owns`` for that.
        """
        return obj is None and self.principal.has_scope(permissions().get(perm, perm))

    def has_perms(self, perm_list: Iterable[str], obj: object = None) -> bool:
        """Whether ``has_perm`` is true of each."""
        return all(self.has_perm(perm, obj) for perm in perm_list)

    def has_module_perms(self, app_label: str) -> bool:
        """Whether the setting names a permission of ``app_label`` that the caller has."""
        return any(name.partition(".")[0] == app_label and self.has_perm(name) for name in permissions())

    def get_all_permissions(self, obj: object = None) -> set[str]:
        """The permissions of the setting that the caller has."""
        return {name for name in permissions() if self.has_perm(name, obj)}

    def __str__(self) -> str:
        return self.principal.subject


class Nobody(_Asked):
    """``request.user`` where no token was sent and no other authentication has set one."""

    pk = None
    id = None
    username = ""
    is_authenticated = False
    is_anonymous = True
    is_active = False
    is_staff = False
    is_superuser = False

    def get_username(self) -> str:
        """Nothing."""
        return ""

    def has_perm(self, perm: str, obj: object = None) -> bool:
        """Nobody may do anything."""
        del perm, obj
        return False

    def has_perms(self, perm_list: Iterable[str], obj: object = None) -> bool:
        """Nobody may do anything, nor everything of an empty list."""
        del perm_list, obj
        return False

    def has_module_perms(self, app_label: str) -> bool:
        """Nobody may do anything."""
        del app_label
        return False

    def get_all_permissions(self, obj: object = None) -> set[str]:
        """None."""
        del obj
        return set()

    def __str__(self) -> str:
        return "nobody"
