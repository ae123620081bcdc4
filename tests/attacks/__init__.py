"""What an attacker would do, tried against the real services; docs/security.md says who could and what is left."""
