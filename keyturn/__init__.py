"""The guard library: verify Keyturn's access tokens and enforce ownership in other services."""
