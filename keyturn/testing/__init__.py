"""For the tests of services behind the guard: an issuer without a network. Its pytest fixture is ``keyturn_issuer``.

``keyturn.testing.issuer.OfflineIssuer`` is the same without pytest.
"""
