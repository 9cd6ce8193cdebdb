"""Server-side sessions of browser sites on DynamoDB, for Flask and Django, done so that none of the usual faults is in.

Import each name from its page; this one imports nothing. Needs the extra ``keyturn[dynamodb]``.

- ``keyturn.websession.flask.WebSessions`` replaces Flask's session; beside it are ``sign_in`` and ``sign_out``
- ``keyturn.websession.django`` is a ``SESSION_ENGINE``, with a ``SessionMiddleware`` of its own
- ``keyturn.websession.flows.Sessions`` is what both stand on, and ``keyturn.websession.people`` all of one user's
- ``keyturn.websession.table`` makes the table, and says which permissions a site needs
"""
