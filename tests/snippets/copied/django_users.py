"""A user of a Django site whose users lie in DynamoDB. Faults included: see docs/why-not-the-snippet.md."""

from __future__ import annotations


class DynamoUser:
    is_active = True
    is_authenticated = True
    is_anonymous = False

    def __init__(self, item):
        self.pk = self.id = item["user_id"]
        self.is_staff = item.get("is_staff", False)

    def has_perm(self, perm, obj=None):
        return True

    def has_perms(self, perms, obj=None):
        return True

    def has_module_perms(self, app_label):
        return True


class DynamoUserMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.user = DynamoUser({"user_id": "ada"})
        return self.get_response(request)
