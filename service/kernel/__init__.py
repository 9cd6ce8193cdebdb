"""Values that know nothing of the service: time, chance, ids, secrets, canonical names."""
