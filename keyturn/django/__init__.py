"""Django and Django REST framework: middleware, decorators, a mixin, and the caller as ``request.user``.

``from keyturn.django.views import signed_in, requires, owns, GuardMixin``, and
``"keyturn.django.middleware.GuardMiddleware"`` in ``MIDDLEWARE``; ``keyturn.django.rest_framework`` for Django REST
framework. The setting is ``KEYTURN`` (``keyturn.django.conf``).
"""
