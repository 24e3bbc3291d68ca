"""What a render would change: object by object and field by field, by risk, once for all clusters it happens in."""
